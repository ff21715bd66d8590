"""What is attacked: each target makes a document, reads it as the product does, and lets only its own errors pass."""

from __future__ import annotations

import lzma
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from unittest import mock

import msgspec

import cachegraph as cg
from cachegraph.builds.dockerbuild.reading import load_record
from cachegraph.builds.provenance import decode_provenance
from cachegraph.core.decode import decode, encode
from cachegraph.core.graph import ExportGraph
from cachegraph.errors import CacheGraphError
from cachegraph.graph import CacheGraph
from cachegraph.lint.files import specs_in_file
from cachegraph.loaders.base import Options
from cachegraph.loaders.buildkitd.bbolt import Database
from cachegraph.loaders.catalogue import load
from cachegraph.loaders.config import export_from_config
from cachegraph.loaders.daemon import decode_database
from cachegraph.loaders.names.plaintexts import decode_answer
from cachegraph.loaders.names.plaintexts import decode_database as decode_plaintexts
from cachegraph.loaders.oci.manifests import parse_manifest
from cachegraph.loaders.specs.parse import canonical, parse
from fuzz import builds, containers, scripts, settings, shapes
from fuzz.sources import Choices

__all__ = ["TARGETS", "attack"]

SECRET = "hunter2-fuzz"
_DATA = Path(__file__).parent.parent / "tests" / "data"
_OPTIONS = Options(timeout=0.2)


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="cachegraph-fuzz-"))


@cache
def _database(name: str) -> bytes:
    (path,) = _DATA.rglob(f"{name}.xz")
    return lzma.decompress(path.read_bytes())


def _written(name: str, data: bytes) -> Path:
    path = _folder() / name
    path.write_bytes(data)
    return path


def config(choices: Choices) -> None:
    data = shapes.config(choices)
    found = decode(data)
    assert decode(encode(found)) == found  # what is read can be written and read
    CacheGraph([export_from_config(data)]).check()


def manifest(choices: Choices) -> None:
    parse_manifest(shapes.manifest(choices))


def layout(choices: Choices) -> None:
    root = Path(tempfile.mkdtemp(dir=_folder()))
    files = containers.layout(choices)
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    try:
        _read_all(str(root))
    finally:
        for path in sorted(root.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        root.rmdir()


def archive(choices: Choices) -> None:
    _read_all(f"type=local,src={_written('x.tar', containers.archive(choices))}")


def _read_all(spec: str) -> None:
    loaded = load([spec], _OPTIONS)
    for failure in loaded.failures:
        _judge(failure.error)
    for export in loaded.exports:
        _ = ExportGraph(export).import_error


def bbolt(choices: Choices) -> None:
    name = choices.one(("cache.db", "cache-debug.db", "bbolt-levels.db"))
    database = Database(containers.bbolt(choices, _database(name)), "x.db")
    (decode_plaintexts if name == "cache-debug.db" else decode_database)(database)


def spec(choices: Choices) -> None:
    text = settings.spec(choices)
    found = parse(text)
    assert SECRET not in found.text, found.text
    canonical(found.type, found.attrs).encode()
    if found.type in ("local", "config", "daemon") and "src=/" in text:
        _read_all(text)


def _settings(name: str, text: str) -> None:
    specs_in_file(_written(name, text.encode("utf-8", "surrogatepass")), {"A": "a", "B": "b"})


def hcl(choices: Choices) -> None:
    _settings("bake.hcl", settings.hcl(choices))


def bake(choices: Choices) -> None:
    _settings("bake.json", settings.bake(choices))


def compose(choices: Choices) -> None:
    _settings("compose.yml", settings.compose(choices))


def workflow(choices: Choices) -> None:
    _settings("ci.yml", settings.workflow(choices))


def gitlab(choices: Choices) -> None:
    _written("a.yml", scripts.gitlab(choices).encode("utf-8", "surrogatepass"))
    _settings(".gitlab-ci.yml", scripts.gitlab(choices))


def script(choices: Choices) -> None:
    name, make = choices.one(
        (("x.sh", scripts.script), ("Makefile", scripts.makefile), ("Jenkinsfile", scripts.jenkinsfile))
    )
    _settings(name, make(choices))


def names(choices: Choices) -> None:
    from cachegraph.builds.plaintext_names import name_all

    name_all(decode_answer(shapes.plaintexts(choices), "x.json"))


def provenance(choices: Choices) -> None:
    decode_provenance(shapes.provenance(choices), "x.json")


def dockerfile(choices: Choices) -> None:
    _build(builds.dockerfile(choices), b"", choices, full=False)


def context(choices: Choices) -> None:
    text = b"FROM scratch AS s\nCOPY . /\nFROM scratch\nCOPY --from=s sr[c] a* /x/\nCOPY --parents **/a* /\n"
    _build(text, builds.ignore(choices), choices, full=True)


def _build(text: bytes, ignored: bytes, choices: Choices, *, full: bool) -> None:
    root = Path(tempfile.mkdtemp(dir=_folder()))
    try:
        folder = root / "context"
        folder.mkdir()
        os.mkfifo(root / "outside")  # whoever follows a link out of the context hangs here
        if full:
            builds.trap(choices, folder, root / "outside")
        (root / "Dockerfile").write_bytes(text)
        (folder / ".dockerignore").write_bytes(ignored)
        with mock.patch.dict(os.environ, XDG_CACHE_HOME=str(_folder())):
            built = cg.build(folder, dockerfile=root / "Dockerfile", offline=True, builder="linux/amd64")
        assert cg.predict(built, built).summary
    finally:
        shutil.rmtree(root)


def record(choices: Choices) -> None:
    found = sorted((_DATA / "records").glob("*.dockerbuild"))
    data = containers.record_file(choices, choices.one(found).read_bytes())
    for build in load_record(_written("x.dockerbuild", data)):
        assert all(step.executed in (True, False, None) for step in build.steps)


TARGETS: dict[str, Callable[[Choices], None]] = {
    "config": config,
    "manifest": manifest,
    "layout": layout,
    "archive": archive,
    "bbolt": bbolt,
    "spec": spec,
    "hcl": hcl,
    "bake": bake,
    "compose": compose,
    "workflow": workflow,
    "gitlab": gitlab,
    "script": script,
    "names": names,
    "provenance": provenance,
    "dockerfile": dockerfile,
    "context": context,
    "record": record,
}
"""Targets by name."""


def _judge(error: CacheGraphError) -> None:
    text = str(error)
    text.encode()
    assert "this is a bug" not in text, text
    assert f"token={SECRET}" not in text, text
    assert f":{SECRET}@" not in text, text
    assert "\n" not in text or len(text) < 10_000, text[:200]


def attack(name: str, data: bytes) -> None:
    """Attack a target with the document that some bytes decide on.

    Raises
    ------
    Exception
        Anything but a `CacheGraphError`: the target is broken.
    """
    try:
        TARGETS[name](Choices(data))
    except CacheGraphError as error:
        _judge(error)
    except msgspec.MsgspecError as error:
        raise AssertionError(f"{name}: an error of msgspec gets out") from error
