"""Why the steps of a build ran."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import cachegraph as cg
from cachegraph.builds.dockerbuild import BuildRecord, load_record
from cachegraph.builds.dockerbuild.operations import Operations
from cachegraph.builds.plaintexts import Plaintext
from cachegraph.core.graph import ExportGraph
from cachegraph.loaders.config import export_from_config
from cachegraph.solver.causes import Explanation
from cachegraph.solver.explain import explain
from tests.solver.exports import BASE, export

DATA = Path(__file__).parents[1] / "data"
RECORDS = DATA / "records"


def told(found: Explanation) -> list[tuple[str, str, tuple[str, ...], int]]:
    return [(cause.kind, cause.title, cause.details, cause.steps) for cause in found.causes]


# --- Small builds ----------------------------------------------------------------------------------------------------


def test_nothing_ran() -> None:
    found = explain([export(BASE)], [export(BASE)])
    assert (len(found), found.causes) == (0, ())
    assert found.summary == "Nothing ran that need not have: all of 3 steps came from the cache."


def renamed(old: str, new: str) -> ExportGraph:
    """The build with one digest replaced, whatever takes it."""
    steps = {
        (new if digest == old else digest): (
            [[(selector, new if taken == old else taken) for selector, taken in slot] for slot in slots],
            layer,
        )
        for digest, (slots, layer) in BASE.items()
    }
    return export(steps)


def test_a_step_that_changed_and_what_followed() -> None:
    found = explain([renamed("make", "make2")], [export(BASE)])
    assert [(miss.digest, miss.kind, miss.first, miss.begins) for miss in found] == [
        ("make2", "key-absent", True, (3,)),
        ("test", "input-differs", False, (3,)),
    ]
    assert told(found) == [("key-absent", "step 3 (make2)", (), 2)]
    assert found.to_text() == (
        "2 of 3 steps ran: 1 cause.\n"
        "\n"
        "1. step 3 (make2) ran: no cache has this instruction.\n"
        "   Because of it ran: step 4 (test).\n"
        "   Cost: 2 steps.\n"
        "   To change: nothing, if the step was meant to change; else put what changes often behind what seldom does.\n"
        "\n"
        "Note: Cannot tell all of what changed: not all names are known. Give --names with a daemon's cache-debug.db, "
        "an image with provenance, or the record of the build that wrote the cache."
    )


def test_files_that_changed() -> None:
    found = explain([renamed("files", "files2")], [export(BASE)])
    assert told(found) == [
        ("input-differs", "step 2 (copy)", ("the content of the files in slot 1 differs",), 3),
    ]
    assert found.miss(2).topic == "files"  # type: ignore[union-attr]
    assert ".dockerignore" in found.causes[0].advice


def test_a_base_image_that_changed() -> None:
    found = explain([renamed("base", "base2")], [export(BASE)])
    assert told(found) == [
        ("input-differs", "step 2 (copy)", ("the base image or other source in slot 0 is another one",), 3),
    ]
    assert "pin the base image" in found.causes[0].advice


def test_a_key_without_result_and_who_needed_it() -> None:
    steps = dict(BASE) | {"make": (BASE["make"][0], None), "copy": (BASE["copy"][0], None)}
    found = explain([renamed("test", "test2")], [export(steps)])
    assert told(found) == [
        ("key-absent", "step 4 (test2)", (), 1),
        ("key-without-result", "step 2 (copy)", (), 2),
    ]
    assert found.causes[1].sentence == (
        "step 2 (copy) and 1 other step ran: the key is in the cache without a result to load, and step 3 (make) "
        "needed it."
    )


def test_blobs_that_are_gone() -> None:
    found = explain([export(BASE)], [export(BASE, blobs=["b0", "b1"])])
    assert told(found) == [("blob-gone", "step 4 (test)", (), 1)]


def test_a_cache_that_buildkit_refuses() -> None:
    broken = ExportGraph(export_from_config(b'{"records": [{"digest": "a", "inputs": [[{"link": 0}]]}]}'))
    found = explain([export(BASE)], [broken])
    assert told(found) == [("cache-refused", "step 2 (copy)", (), 3)]
    assert found.notes == (
        "BuildKit refuses config: invalid looping record. Export it again; `cachegraph check` says more.",
    )


def test_no_cache_was_given() -> None:
    found = explain([export(BASE)], [])
    assert told(found) == [("no-cache", "step 2 (copy)", (), 3)]


def test_another_source_can_answer_first() -> None:
    keys = export({digest: (slots, None) for digest, (slots, _) in BASE.items()})
    found = explain([export(BASE)], [export(BASE), keys])
    assert {miss.kind for miss in found} == {"another-source"}
    assert not any(miss.certain for miss in found)
    assert found.summary == "3 of 3 steps may run: 1 cause."


def test_another_order_of_steps() -> None:
    first: dict[str, Any] = {
        "base": ((), None),
        "a": (([("", "base")],), 0),
        "b": (([("", "a")],), 1),
    }
    second: dict[str, Any] = {
        "base": ((), None),
        "b": (([("", "base")],), 0),
        "a": (([("", "b")],), 1),
    }
    found = explain([export(second)], [export(first)])
    assert found.causes[0].details == (
        "the cache has this instruction and what it takes, but not the one on the other: another order of steps",
    )


def test_what_followed_is_folded_with_its_first_cause_only() -> None:
    """Two things changed: each has its own followers, and a step that follows both counts once."""
    steps: dict[str, Any] = {
        "base": ((), None),
        "a": (([("/", "base")],), 0),
        "b": (([("/", "base")],), 1),
        "both": (([("/", "a")], [("/", "b")]), 2),
    }
    new = {"base": steps["base"], "a2": steps["a"], "b2": steps["b"], "both": (([("/", "a2")], [("/", "b2")]), 2)}
    found = explain([export(new)], [export(steps)])
    assert found.miss(3).begins == (1, 2)  # type: ignore[union-attr]
    assert sorted(cause.steps for cause in found.causes) == [1, 2]


def test_as_a_data_frame() -> None:
    frame = explain([renamed("make", "make2")], [export(BASE)]).to_frame()
    assert list(frame["kind"]) == ["key-absent", "input-differs"]
    assert list(frame["first"]) == [True, False]


# --- In words, by plaintexts -----------------------------------------------------------------------------------------


class Build:
    """FROM image, COPY, RUN, with the plaintexts of their keys."""

    def __init__(
        self,
        *,
        command: str = "make",
        env: tuple[str, ...] = ("PATH=/bin",),
        files: Mapping[str, tuple[int, str]] | None = None,
        image: str = "1" * 64,
    ) -> None:
        self.texts: dict[str, Plaintext] = {}
        key = self._add("json", json.dumps({"Digest": f"sha256:{image}", "OS": "linux", "Arch": "amd64"}))
        base = self._key(self._add("string", f"buildkit.source.v0:{key}"))
        action = {"src": "/src", "dest": "/src"}
        encoded = b64encode(json.dumps(action).encode()).decode()
        copy = self._key(self._add("json", json.dumps({"Type": "buildkit.file.v0", "Actions": [encoded]})))
        content = self._key(self._content(files or {"main.c": (0o644, "int main;")}), -1)
        meta = {"args": ["/bin/sh", "-c", command], "env": list(env), "cwd": "/"}
        run = {"Type": "buildkit.exec.v0", "Exec": {"meta": meta}, "OS": "linux", "Arch": "amd64"}
        made = self._key(self._add("json", json.dumps(run)))
        self.graph = export(
            {
                base: ((), None),
                content: ((), None),
                copy: (([("", base)], [("", content)]), 0),
                made: (([("/", copy)],), 1),
            }
        )

    def _add(self, kind: str, *frames: str) -> str:
        digest = "sha256:" + sha256("".join(frames).encode()).hexdigest()
        self.texts[digest] = Plaintext(kind, tuple(frame.encode() for frame in frames))
        return digest

    def _key(self, digest: str, output: int = 0) -> str:
        return self._add("string", f"{digest}@{output}")

    def _content(self, files: Mapping[str, tuple[int, str]]) -> str:
        frames: list[str] = []
        for name, (mode, text) in files.items():
            header = ("name", f"mode{mode}", "uid0", "gid0", f"size{len(text)}", "typeflag0", "linkname")
            digest = "sha256:" + sha256(("".join(header) + text).encode()).hexdigest()
            self.texts[digest] = Plaintext("file", tuple(part.encode() for part in header))
            frames += [f"\0{name}", digest]
        return self._add("digest-list", self._add("file-list", *frames))


def compared(old: Build, new: Build) -> Explanation:
    return explain(
        [new.graph], [old.graph], texts={**old.texts, **new.texts}, references={"sha256:" + "1" * 64: "app:1"}
    )


@pytest.mark.parametrize(
    ("changed", "details"),
    [
        ({"command": "make all"}, "the command was make, is now make all"),
        ({"env": ("PATH=/bin", "MODE=test")}, "env MODE is new: test"),
        ({"env": ("PATH=/bin:/sbin",)}, "env PATH was /bin, is now /bin:/sbin"),
        ({"files": {"main.c": (0o755, "int main;")}}, "main.c: mode 0644, is now mode 0755"),
        ({"files": {"main.c": (0o644, "int m();;")}}, "main.c: other content (9 bytes)"),
        ({"files": {"main.c": (0o644, "int main();")}}, "main.c: 9 bytes, is now 11 bytes"),
        ({"files": {"main.c": (0o644, "int main;"), "b.c": (0o644, "")}}, "b.c is new"),
        ({"files": {"b.c": (0o644, "")}}, "b.c is new"),
    ],
)
def test_what_changed_in_words(changed: dict[str, Any], details: str) -> None:
    found = compared(Build(), Build(**changed))
    (cause,) = found.causes
    assert cause.details[0] == details
    assert not found.notes


def test_variables_alone_are_advised_on_as_such() -> None:
    (cause,) = compared(Build(), Build(env=("PATH=/bin", "MODE=test"))).causes
    assert cause.advice == "set the variable (ARG, ENV) behind the steps that do not need it."


def test_a_secret_is_never_shown() -> None:
    old, new = Build(env=("NPM_TOKEN=hunter2",)), Build(env=("NPM_TOKEN=hunter3",))
    text = compared(old, new).to_text()
    assert "env NPM_TOKEN differs (its value is not shown)" in text
    assert "hunter" not in text


def test_a_base_image_in_words() -> None:
    (cause,) = compared(Build(), Build(image="2" * 64)).causes
    assert cause.details == (f"the base image was app:1@sha256:111111111111, is now sha256:{'2' * 64}",)


def test_of_several_candidates_none_is_named() -> None:
    """Two other steps stand in its place: which of them it was is not known."""
    builds = [Build(command=f"make {target}") for target in ("a", "b", "c")]
    texts = {key: text for build in builds for key, text in build.texts.items()}
    found = explain([builds[2].graph], [builds[0].graph, builds[1].graph], texts=texts)
    (miss,) = [miss for miss in found if miss.first]
    assert (miss.was, miss.changed) == (None, ())


def test_a_step_that_reads_otherwise_is_no_step_that_changed() -> None:
    old, new = Build(command="curl -sSf https://example.com/install | sh"), Build(command="ls")
    (cause,) = compared(old, new).causes
    assert cause.details == ("in its place the cache has RUN curl -sSf https://example.com/install | sh",)


# --- Build records ---------------------------------------------------------------------------------------------------


@cache
def truths() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(gzip.decompress((RECORDS / "truth.json.gz").read_bytes()))
    return loaded


@cache
def record(name: str) -> BuildRecord:
    (found,) = load_record(RECORDS / f"{name}.dockerbuild")
    return found


def imports(name: str) -> list[ExportGraph]:
    return [ExportGraph(export_from_config(json.dumps(config).encode())) for config in truths()[name]["imports"]]


KINDS = {
    "with result": "input-differs",
    "key only": "key-without-result",
    "absent": "key-absent",
    None: "cache-missing",
}
EXPLAINED = [name for name in truths() if name != "failing"]


@pytest.mark.parametrize("name", EXPLAINED)
def test_each_step_that_ran_is_explained(name: str) -> None:
    expected = {
        step["digest"]: KINDS[step["in_import"][0]] if step["in_import"] else "no-cache"
        for step in truths()[name]["steps"]
        if step["executed"] and step["inputs"]
    }
    vertices = record(name).keys.vertices
    assert {vertices[miss.record]: miss.kind for miss in explain(record(name), imports(name))} == expected


FIRST_CAUSES = {
    "args": [("key-absent", '[stage-3 2/2] RUN echo "late 2 e" > /late', (), 1)],
    "copy-link": [("input-differs", "[stage-1 2/6] COPY --link conf /etc/conf", ("the content of conf differs",), 6)],
    "go-cold": [("no-cache", "[build 2/6] WORKDIR /src", (), 7)],
    "go-local-readme": [("input-differs", "[build 5/6] COPY . .", ("the content of the build context differs",), 2)],
    "go-registry-main": [("input-differs", "[build 5/6] COPY . .", ("the content of the build context differs",), 4)],
    "missing-cache": [("cache-missing", "[build 2/6] WORKDIR /src", (), 7)],
    "mounts": [
        (
            "input-differs",
            "[work 4/6] RUN --mount=type=bind,target=/ctx,rw cat /ctx/data/d.txt > /w3",
            ("the content of the build context differs",),
            4,
        )
    ],
    "two-platforms": [
        ("input-differs", f"[linux/{arch} stage-1 2/2] COPY arch/ /arch/", ("the content of arch differs",), 1)
        for arch in ("amd64", "arm64")
    ],
}


@pytest.mark.parametrize("name", EXPLAINED)
def test_first_causes_of_records(name: str) -> None:
    assert sorted(told(explain(record(name), imports(name)))) == FIRST_CAUSES[name]


def test_a_record_says_the_seconds() -> None:
    found = explain(record("go-registry-main"), imports("go-registry-main"))
    assert found.causes[0].cost == "4 steps, 0.41 s"


def test_a_source_whose_key_is_not_told_is_named_with_the_reason() -> None:
    whole, caches = record("go-cold"), imports("go-registry-main")
    steps = dict(whole.operations.steps)
    vertex = next(name for name, one in steps.items() if one.source and "base/tool" in one.source.identifier)
    steps[vertex] = replace(steps[vertex], text=None, image=None, unknown="provenance does not tell its commit")
    found = explain(replace(whole, operations=Operations(steps=steps)), caches)
    name = whole.by_digest[vertex].name
    note = f"Cannot tell whether {name} was cached by its own key: provenance does not tell its commit."
    assert [one for one in found.notes if "own key" in one] == [note]
    assert not [one for one in explain(whole, caches).notes if "own key" in one]


def test_a_failed_build_has_no_keys() -> None:
    found = explain(record("failing"), imports("failing"))
    assert [miss.kind for miss in found] == ["unknown"]
    assert found.notes[-1] == (
        "Cannot tell more: the record has no provenance (BuildKit keeps none of a failed build), so no keys."
    )


def test_a_cache_whose_place_is_not_in_the_record() -> None:
    found = explain(record("args"), [])
    assert [miss.kind for miss in found] == ["unknown"]
    assert found.notes == ("The record does not say where the cache type=local was: give it with --cache-from.",)


def test_a_record_against_the_plaintexts_of_the_build_before() -> None:
    """LATE=1 before, LATE=2 now: the provenance of both says so."""
    new = record("args")
    texts = dict(new.texts)
    late = next(text for text in texts.values() if b"late $LATE" in text.text and text.type == "json")
    old = late.text.replace(b"LATE=2", b"LATE=1")
    definition = "sha256:" + sha256(old).hexdigest()
    texts |= {definition: Plaintext("json", (old,))}
    text = f"{definition}@0".encode()
    texts |= {"sha256:" + sha256(text).hexdigest(): Plaintext("string", (text,))}
    (cause,) = explain(new, imports("args"), texts=texts).causes
    assert cause.details == ("env LATE was 1, is now 2",)


def test_the_library_has_it_at_the_top() -> None:
    assert cg.explain is explain
