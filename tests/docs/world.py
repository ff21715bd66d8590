"""Where the how-to pages are followed: a project under git, caches of its builds, a registry with caches and images.

The names are the pages' own. ``registry.example.com`` is a real registry on loopback.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import urllib3
from click.testing import CliRunner

from cachegraph.cli.app import app
from tests.causes.project import Project
from tests.docs.blocks import ROOT, Block, calls, exit_code, parse, program
from tests.servers.registry import push_layout

DATA = ROOT / "tests" / "data"
HOST = "registry.example.com"
BASES = DATA / "dockerfiles" / "bases"
_MEDIA = {"config": "application/vnd.buildkit.cacheconfig.v0", "layer": "application/vnd.oci.image.layer.v1.tar+gzip"}
_AGE = re.compile(r"(newest result|newest layer) .*? old")
_COMMIT = re.compile(r"commit [0-9a-f]{7} \(.*? ago\)")
_DAYS = re.compile(r"\t\d+ (?:s|min|h|days?)\t")


@dataclass
class World:
    """A folder, and what the names in the pages stand for.

    Attributes
    ----------
    folder : Path
    names : dict of str to str
        What a page writes, and what is there.
    variables : dict of str to object
        Of the page's Python.
    """

    folder: Path
    names: dict[str, str] = field(default_factory=dict)
    variables: dict[str, object] = field(default_factory=dict)

    def run(self, command: str) -> str:
        """Run a command line of cachegraph; give what it prints, in the page's own names.

        Parameters
        ----------
        command : str
            It has to end with the code that it says.
        """
        (arguments,) = calls(self.real(command))
        result = CliRunner().invoke(app, [path for word in arguments for path in _expanded(word)])
        assert result.exit_code == exit_code(command), f"{command}\n{result.output}"
        shown = result.stdout
        for name, real in self.names.items():
            shown = shown.replace(real, name)
        return shown

    def real(self, text: str) -> str:
        """Put what is there for what a page writes."""
        for name, real in self.names.items():
            text = text.replace(name, real)
        return text

    def follow(self, block: Block) -> None:
        """Do what a block says: write the file, run the code, or run the commands and compare what is shown of it."""
        named = re.search(r"file=(\S+)", block.info)
        if named:
            path = self.folder / named[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
        elif block.language == "python":
            exec(compile(block.text, str(block), "exec"), self.variables)
        elif block.language == "console":
            for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
                command, _, shown = part.partition("\n")
                self._command(command, shown, f"{block}: {command}")

    def _command(self, command: str, shown: str, where: str) -> None:
        if program(command) in ELSEWHERE:
            assert not shown.strip(), where
        elif command.startswith(OWN_SERVER):
            for arguments in calls(command):
                parse(arguments)
        else:
            compare(self.run(command), shown, where)


ELSEWHERE = {
    "docker": "needs a Docker daemon",
    "cypher-shell": "comes with Neo4j; tests/stores/test_neo4j_cypher.py runs the files in it",
    "curl": "asks a running buildkitd",
    "export": "the tests set the variables of their own server",
    "pip": "the tests need no second installation; test_blocks.py knows the extras",
}
"""Programs that a page may call and the tests do not, and why."""

OWN_SERVER = ("cachegraph neo4j up", "cachegraph neo4j down", "cachegraph neo4j status", "cachegraph neo4j logs")
"""A Neo4j of one's own: tests/server runs these. Here their options are read, and the tests' own server is used."""


def _expanded(word: str) -> list[str]:
    """Put paths for a pattern, as a shell does."""
    return (sorted(map(str, Path().glob(word))) if "*" in word and not word.startswith("/") else []) or [word]


def compare(output: str, shown: str, where: str) -> None:
    """Look for the lines that a page shows in what was printed: one after the other, ``...`` stands for any.

    Parameters
    ----------
    output : str
    shown : str
    where : str
        For the complaint.
    """
    printed = [_timeless(line) for line in output.splitlines()]
    at, anywhere = 0, False
    for line in filter(None, map(_timeless, shown.splitlines())):
        if line == "...":
            anywhere = True
            continue
        rest = [number for number in range(at, len(printed)) if printed[number]]
        found = [number for number in (rest if anywhere else rest[:1]) if printed[number] == line]
        assert found, f"{where}\nnot printed: {line}\n" + "\n".join(printed)
        at, anywhere = found[0] + 1, False


def _timeless(line: str) -> str:
    line = _DAYS.sub("\t2 days\t", _COMMIT.sub("commit 1a2b3c4 (2 days ago)", line))
    return _AGE.sub(r"\1 2 h old", line.rstrip())


def keep_config(config: bytes, storage: Path, registry: str, target: str) -> None:
    """Push a bare config to ``repository:tag`` as an export: of its layers the registry keeps a byte each.

    Parameters
    ----------
    config : bytes
    storage : Path
        The registry's folder.
    registry, target : str
    """
    repository, tag = target.split(":")
    layers = list(dict.fromkeys(layer["blob"] for layer in json.loads(config)["layers"]))
    name = "sha256:" + hashlib.sha256(config).hexdigest()
    for digest, content in [(name, config), *((layer, b"x") for layer in layers)]:
        digits = digest.removeprefix("sha256:")
        blob = storage / "docker/registry/v2/blobs/sha256" / digits[:2] / digits / "data"
        link = storage / "docker/registry/v2/repositories" / repository / "_layers/sha256" / digits / "link"
        for path, text in ((blob, content), (link, digest.encode())):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": _MEDIA["config"], "digest": name, "size": len(config)},
        "layers": [
            {"mediaType": _MEDIA["layer"], "digest": d, "size": 1, "annotations": {"containerd.io/uncompressed": d}}
            for d in layers
        ],
    }
    put_manifest(registry, repository, tag, manifest)


def put_manifest(registry: str, repository: str, tag: str, manifest: Mapping[str, object]) -> None:
    """Push a manifest whose blobs are there."""
    kind = {"Content-Type": str(manifest["mediaType"])}
    with urllib3.PoolManager() as client:
        address = f"http://{registry}/v2/{repository}/manifests/{tag}"
        done = client.request("PUT", address, body=json.dumps(manifest).encode(), headers=kind)
    assert done.status == 201, done.data


def fill_registry(storage: Path, registry: str, folder: Path) -> None:
    """Push the caches and the base images that the pages speak of.

    Parameters
    ----------
    storage : Path
    registry : str
    folder : Path
        For what is taken apart on the way.
    """
    for tag, cache in (("cache", "max"), ("cache-yesterday", "inline")):
        keep_config((DATA / "cold" / f"{cache}.json").read_bytes(), storage, registry, f"app:{tag}")
    for tag, layout in (("latest", "web-oci"), ("cache", "web-max"), ("cache-small", "web-min")):
        push_layout(DATA / "layouts" / layout, registry, f"web:{tag}")
    index = json.loads((BASES / "index.json").read_bytes())
    for name in ("base/tool:1", "base/run:1"):
        (root,) = [m for m in index["manifests"] if m["annotations"]["org.opencontainers.image.ref.name"] == name]
        one = folder / name.replace("/", "-").replace(":", "-")
        one.mkdir()
        (one / "blobs").symlink_to(BASES / "blobs")
        (one / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [root]}))
        push_layout(one, registry, name)


def make_project(folder: Path, registry: str) -> Project:
    """Write the tutorial's program with a history: ``main``, and a branch whose last commit changes ``main.go``."""
    project = Project(folder)
    cold = DATA / "cold"
    files = {str(p.relative_to(cold / "app")): p.read_text() for p in (cold / "app").rglob("*") if p.is_file()}
    dockerfile = (cold / "Dockerfile").read_text().replace("127.0.0.1:15011", registry)
    project.write({**files, "main.go": "package main // 1\n", "Dockerfile": dockerfile, ".dockerignore": _IGNORED})
    project.commit("the program")
    project.git("checkout", "--quiet", "-b", "feature")
    project.write({"main.go": files["main.go"]})
    project.commit("say more", seconds=1_700_000_100)
    for name, layout in (("cache", "web-churn"), ("cache-before", "web-min"), ("cache-now", "web-max")):
        shutil.copytree(DATA / "layouts" / layout, folder / name)
    shutil.copy(DATA / "records" / "go-registry-main.dockerbuild", folder / "build.dockerbuild")
    return project


_IGNORED = "*\n!go.*\n!main.go\n!pkg\n!README.md\n!test\n"


@pytest.fixture(scope="session")
def stocked(registry: str, registry_storage: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """``host:port`` of the registry, with what the pages speak of."""
    fill_registry(registry_storage, registry, tmp_path_factory.mktemp("bases"))
    return registry


@pytest.fixture
def world(stocked: str, fresh_clients: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The folder that the pages are followed in."""
    folder = tmp_path / "project"
    folder.mkdir()
    make_project(folder, stocked)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    return World(folder, {HOST: stocked})


__all__ = ["HOST", "World", "compare", "stocked", "world"]
