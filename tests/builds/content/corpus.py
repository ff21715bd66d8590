"""The real builds of `tests/data/dockerfiles`: their sources on disk again, and the trees of their steps."""

from __future__ import annotations

import base64
import gzip
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cachegraph.builds import llb
from cachegraph.builds.content.digests import content_digest
from cachegraph.builds.content.fileops import apply_file, merge_trees
from cachegraph.builds.content.hashing import Hasher
from cachegraph.builds.content.layers import image_tree
from cachegraph.builds.content.local import local_tree
from cachegraph.builds.content.nodes import Bytes, File, Folder, Metadata
from cachegraph.builds.content.selection import Selection, select_copies, select_mounts
from cachegraph.builds.content.unknown import Unknown

DATA = Path(__file__).parents[2] / "data" / "dockerfiles"

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot that BuildKit hashed by content."""

    step: int
    place: int
    name: str
    content: str
    made_by: str


class Case:
    """One build."""

    def __init__(self, data: Json) -> None:
        self.data = data
        self.name = "/".join(filter(None, (data.get("case"), data["name"])))
        self._trees: dict[int, Folder | Unknown] = {}
        self.hasher = Hasher()

    def slots(self) -> Iterator[Slot]:
        """Every slot that was hashed by content."""
        for number, step in enumerate(self.data["steps"]):
            for place, slot in enumerate(step["slots"]):
                if slot["content_hashed"]:
                    yield Slot(number, place, step["name"], slot["content"], slot["content_from"])

    def content(self, slot: Slot, root: Path) -> str | Unknown:
        """Compute what BuildKit hashed for a slot."""
        step = self.data["steps"][slot.step]
        tree = self.tree(step["inputs"][slot.place]["step"], root)
        return content_digest(tree, selections(step["op"], slot.place), self.hasher)

    def tree(self, number: int, root: Path) -> Folder | Unknown:
        """Make the files of a step."""
        if number not in self._trees:
            self._trees[number] = self._make(number, root)
        return self._trees[number]

    def _make(self, number: int, root: Path) -> Folder | Unknown:
        step = self.data["steps"][number]
        operation = step["op"]
        inputs = [one["step"] for one in step["inputs"]]
        match step["kind"]:
            case "exec":
                return Unknown(because="run", reason=step["name"])
            case "file":
                return apply_file(file_operation(operation["file"]), [self.tree(one, root) for one in inputs])[0]
            case "merge":
                return merge_trees([self.tree(one, root) for one in inputs])
            case "source:local":
                return self._local(operation["source"], root)
            case "source:docker-image":
                return image(operation["source"]["identifier"], operation.get("platform", {}))
            case "source:http":
                return self._download(operation["source"], root)
            case "source:git":
                return Unknown(because="remote", reason=step["name"])
        raise AssertionError(step["kind"])

    def _local(self, source: Json, root: Path) -> Folder:
        name = source["identifier"].removeprefix("local://")
        context = self.data["context"] if name == "context" else self.data["contexts"][name]["local"]
        return local_tree(root / context, tuple(json.loads(source["attrs"].get("local.excludepatterns", "[]"))))

    def _download(self, source: Json, root: Path) -> Folder:
        (path,) = (path for path, file in self.data["www"].items() if file["url"] == source["identifier"])
        data = (root / "www" / path).read_bytes()
        name = source["attrs"].get("http.filename", path.rpartition("/")[2])
        file = File(metadata=Metadata(mode=0o600), blob=Bytes(data))
        return Folder(metadata=Metadata(mode=0o755), children={name: file})


@cache
def cases(file: str = "cases") -> tuple[Case, ...]:
    """Read the builds, or those of changed sources (``mutations``)."""
    with gzip.open(DATA / f"{file}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return tuple(Case(json.loads(line)) for line in lines)


def write_source(source: list[Json], root: Path) -> None:
    """Put files where they were."""
    for entry in source:
        path = root / entry["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        if entry["type"] == "symlink":
            path.symlink_to(entry["link"])
            continue
        if entry["type"] == "dir":
            path.mkdir(exist_ok=True)
        elif "hardlink_to" in entry:
            path.hardlink_to(root / entry["hardlink_to"])
        else:
            path.write_bytes(entry["text"].encode() if "text" in entry else base64.b64decode(entry["base64"]))
            for name, value in entry.get("xattrs", {}).items():
                os.setxattr(path, name, value.encode())
        path.chmod(int(entry["mode"], 8))
    for entry in source:
        if "mtime" in entry:
            os.utime(root / entry["path"], (entry["mtime"], entry["mtime"]))


@cache
def _bases() -> Mapping[str, Json]:
    return {base["digest"]: base for base in json.loads((DATA / "bases.json").read_text("utf-8"))}


@cache
def _layer(digest: str) -> Bytes:
    return Bytes((DATA / "bases" / "blobs" / "sha256" / digest.removeprefix("sha256:")).read_bytes())


@cache
def _image(digest: str, architecture: str, variant: str) -> Folder | Unknown:
    for platform in _bases()[digest]["platforms"]:
        if (platform["architecture"], platform["variant"] or "") == (architecture, variant):
            return image_tree(_layer(layer) for layer in platform["layers"])
    return Unknown(because="image", reason=digest)


def image(identifier: str, platform: Json) -> Folder | Unknown:
    """Open a base image; one without a digest in its reference was named by a build context."""
    digest = identifier.rpartition("@")[2]
    if digest not in _bases():
        name = identifier.removeprefix("docker-image://")
        digest = next(base["digest"] for base in _bases().values() if base["reference"] == name)
    return _image(digest, platform.get("Architecture", ""), platform.get("Variant", ""))


def selections(operation: Json, place: int) -> tuple[Selection, ...]:
    """Give what an operation selects from an input."""
    if "file" in operation:
        return select_copies(file_operation(operation["file"]), place)
    mounts = operation["exec"]["mounts"]
    others = ("SECRET", "SSH", "TMPFS")
    mine = [one for one in mounts if int(one.get("input", 0)) == place and one.get("mountType") not in others]
    return select_mounts(one.get("selector", "") for one in mine)


_ACTIONS: Mapping[str, type[Any]] = {"copy": llb.Copy, "mkfile": llb.Mkfile, "mkdir": llb.Mkdir, "rm": llb.Rm}


def file_operation(data: Json) -> llb.File:
    """Read a file operation as protobuf writes it to JSON."""
    actions = []
    for action in data["actions"]:
        (kind,) = set(action) & set(_ACTIONS)
        actions.append(
            llb.FileAction(
                input=int(action.get("input", 0)),
                secondary_input=int(action.get("secondaryInput", 0)),
                output=int(action.get("output", 0)),
                action=llb.AnyAction(**{kind: _ACTIONS[kind](**_fields(action[kind]))}),
            )
        )
    return llb.File(actions=tuple(actions))


def _fields(data: Json) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in data.items():
        key = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
        if key == "owner":
            value = llb.Owner(**{who: _user(option) for who, option in value.items()})
        elif key == "timestamp":
            value = int(value)
        elif key == "data":
            value = base64.b64decode(value)
        elif isinstance(value, list):
            value = tuple(value)
        fields[key] = value
    return fields


def _user(option: Json) -> llb.UserOpt:
    if "byName" in option:
        named = llb.NamedUser(name=option["byName"]["name"], input=int(option["byName"].get("input", 0)))
        return llb.UserOpt(user=llb.User(by_name=named))
    return llb.UserOpt(user=llb.User(by_id=option.get("byID", 0)))
