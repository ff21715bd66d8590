"""What is given in the place of a cache: archives by another name, standard input, files that are something else."""

from __future__ import annotations

import io
import json
import shutil
import sys
import tarfile
from pathlib import Path

import pytest

import cachegraph as cg
from cachegraph.errors import CacheGraphError, DecodeError
from cachegraph.loaders.config import export_from_config


def packed(folder: Path, name: str, mode: str = "w") -> bytes:
    """A tar archive of a folder under a name."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode=mode) as file:  # type: ignore[call-overload]  # a mode from a table
        file.add(folder, name)
    return held.getvalue()


def standard_input(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


@pytest.mark.parametrize("name", ["cache", "./cache", "a/b/cache"])
@pytest.mark.parametrize(
    ("file", "mode"), [("cache.tar", "w"), ("cache.tgz", "w:gz"), ("cache", "w"), ("x.bin", "w:xz")]
)
def test_an_archive_of_a_folder_is_read_whatever_it_is_called(
    layouts: Path, tmp_path: Path, name: str, file: str, mode: str
) -> None:
    (plain,) = cg.load(str(layouts / "web-max"))
    (tmp_path / file).write_bytes(packed(layouts / "web-max", name, mode))
    (graph,) = cg.load(str(tmp_path / file))
    assert graph.export.config == plain.export.config
    assert graph.export.blobs == plain.export.blobs
    assert graph.export.strays == plain.export.strays
    assert graph.export.source == f"type=local,src={tmp_path / file},tag=latest"


def test_two_folders_in_an_archive_are_no_layout(layouts: Path, tmp_path: Path) -> None:
    path = tmp_path / "two.tar"
    with tarfile.open(path, "w") as file:
        file.add(layouts / "web-max", "one")
        file.add(layouts / "web-min", "two")
    with pytest.raises(CacheGraphError, match=r"there is no index\.json"):
        cg.load(str(path))


def test_a_folder_of_layouts_names_them(layouts: Path) -> None:
    with pytest.raises(
        CacheGraphError, match=r"there is no index\.json.*image layouts there: .*alternating-1, .* more"
    ):
        cg.load(str(layouts))


def test_a_config_on_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    standard_input(monkeypatch, b'{"records": [{"digest": "a"}]}')
    (graph,) = cg.load("-")
    assert (graph.export.source, graph.record(0).digest) == ("type=config,src=-", "a")
    standard_input(monkeypatch, b"")
    with pytest.raises(DecodeError, match=r"^standard input: the document is empty"):
        cg.load("-")


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_an_archive_on_standard_input(layouts: Path, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    standard_input(monkeypatch, packed(layouts / "web-max", "cache", mode))
    (graph,) = cg.load("-")
    assert len(graph) == 19
    assert graph.export.source == "type=local,src=-,tag=latest"
    assert graph.export.store == "standard input"


def test_a_damaged_archive_on_standard_input_is_called_so(layouts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    standard_input(monkeypatch, packed(layouts / "web-max", "cache")[:3000])
    with pytest.raises(DecodeError, match=r"^standard input: "):
        cg.load("-")


@pytest.mark.parametrize(
    ("name", "text", "message", "hint"),
    [
        ("docker-bake.hcl", 'target "web" {\n}', "this is a bake file", "--from-file"),
        ("docker-bake.json", '{"target": {"web": {}}}', "this is a bake file", "--from-file"),
        (
            "truth.json",
            '{"target": [{"name": "RUN make"}], "mode": 1}',
            "layers nor records, but target, mode",
            "config",
        ),
        ("truth.json", '{"target": {"web": [true]}}', "neither layers nor records, but target", "cache config"),
        ("truth.json", '{"group": "web", "jobs": ["a"]}', "neither layers nor records, but group, jobs", "config"),
        ("truth.json", '{"services": {}, "a": 1}', "neither layers nor records, but services, a", "cache config"),
        ("compose.json", '{"services": {"web": {"build": "."}}}', "this is a compose file", "--from-file"),
        (
            "nights.json",
            '[{"night": 1, "lost": null}]',
            "a list, no cache config: its entries have night, lost",
            "config",
        ),
        ("compose.yaml", "services:\n  web:\n    build: .\n", "this is a compose file", "--from-file"),
        ("ci.yml", "on: push\njobs:\n  build: {}\n", "this is a workflow", "--from-file"),
        (".gitlab-ci.yml", "build:\n  script: [make]\n", "this is GitLab's CI settings", "--from-file"),
        ("Dockerfile", "# syntax\nFROM alpine\n", "this is a Dockerfile", "--names"),
        ("index.json", '{"schemaVersion": 2, "manifests": []}', "this is an image index", "directory"),
        ("manifest.json", '{"schemaVersion": 2, "layers": [], "config": {}}', "this is an image manifest", "directory"),
        ("config.json", '{"rootfs": {}, "history": []}', "this is an image's config", "give the image itself"),
        ("att.json", '{"predicateType": "x", "predicate": {}}', "this is an attestation", "--names"),
        ("package.json", '{"name": "x", "dependencies": {}}', "this is a package's settings", "cache"),
        ("other.json", '{"a": 1, "b\\u001b[31m": 2}', "neither layers nor records, but a, b\ufffd[31m", "cache config"),
        ("list.json", "[]", "this is a list", "type=daemon"),
        ("list.json", '\n[ {"Digest": "x"}]', "this is a list", "type=daemon"),
        ("pyproject.toml", "[project]\nname = 'x'\n", "this is no JSON", "cache"),
        ("README.md", "# app\n\n```yaml\nbuild:\n  script: [make]\n```\n", "this is a page of Markdown", "cache"),
        ("log.txt", "#1 [internal] load build definition\n", "this is a build's log", "cache"),
    ],
)
def test_a_file_is_told_what_it_is(tmp_path: Path, name: str, text: str, message: str, hint: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(DecodeError) as caught:
        cg.load(str(path))
    assert caught.value.message.startswith(f"{path}: ")
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_a_database_by_another_name(tmp_path: Path) -> None:
    path = tmp_path / "cache"
    path.write_bytes(bytes(16) + b"\xed\xda\x0c\xed" + bytes(4096))
    with pytest.raises(DecodeError, match="this is a daemon's database"):
        cg.load(str(path))


@pytest.mark.parametrize(
    "text", ["{}", '{"Records": []}', '{"layers": null, "target": 1}', '{"records": [], "extra": 7}']
)
def test_a_cache_config_is_never_taken_for_something_else(tmp_path: Path, text: str) -> None:
    path = tmp_path / "cache.json"
    path.write_text(text)
    assert len(cg.load(str(path)).graphs) == 1


def test_looking_at_a_text_takes_no_time(tmp_path: Path) -> None:
    path = tmp_path / "x.yml"
    path.write_bytes(b"\n \t" * 2_000_000)
    with pytest.raises(DecodeError, match=r"not JSON|malformed|expected"):
        cg.load(str(path))


def test_bytes_that_a_caller_gives_are_taken_as_they_are() -> None:
    assert export_from_config(json.dumps({"target": {}}).encode()).config.records == ()


def test_a_folder_of_bare_configs_names_them(tmp_path: Path) -> None:
    (tmp_path / "max.json").write_text('{"layers":[{"blob":"sha256:0","parent":-1}],"records":[]}')
    (tmp_path / "bare.json").write_text('{"records": []}')
    (tmp_path / "manifest.json").write_text('{"layers":[{"mediaType":"x"}]}')
    (tmp_path / "none.json").write_text("[]")
    with pytest.raises(CacheGraphError) as caught:
        cg.load(tmp_path)
    assert caught.value.hint == f"cache configs there: {tmp_path}/bare.json, {tmp_path}/max.json"


@pytest.mark.parametrize("store", ["s3", "azblob"])
@pytest.mark.parametrize("given", ["", "manifests"])
def test_a_copied_bucket_is_called_so_and_names_what_can_be_read(data: Path, store: str, given: str) -> None:
    with pytest.raises(CacheGraphError) as caught:
        cg.load(data / store / given)
    assert caught.value.message == (
        f"{data / store / given}: this is a copy of a bucket (type=s3 or type=azblob), not an image layout"
    )
    said, _, command = (caught.value.hint or "").partition(": ")
    assert said == "read a manifest of it (no blob is looked for)"
    assert command == f"cachegraph check {data}/{store}/manifests/web"
    (graph,) = cg.load(command.split()[-1])
    assert (len(graph), graph.export.kind) == (35, "config")


def test_names_of_manifests_in_a_copied_bucket(data: Path, tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / ("sha256:" + "a" * 64)).touch()
    config = (data / "s3" / "manifests" / "web").read_bytes()
    for name, held in (("pr/7 a", config), ("main", config), (".marker", b"x")):
        path = tmp_path / "manifests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(held)
    with pytest.raises(CacheGraphError, match="copy of a bucket") as caught:
        cg.load(tmp_path)
    folder = tmp_path / "manifests"
    assert (caught.value.hint or "").endswith(f": cachegraph check {folder}/main; others: {folder}/pr/7 a")
    (folder / "main").unlink()
    with pytest.raises(CacheGraphError) as caught:
        cg.load(tmp_path)
    assert (caught.value.hint or "").endswith(f": cachegraph check '{folder}/pr/7 a'")


@pytest.mark.parametrize("missing", ["blobs", "manifests"])
def test_a_folder_with_half_of_a_bucket_is_none(data: Path, tmp_path: Path, missing: str) -> None:
    shutil.copytree(data / "s3", tmp_path, dirs_exist_ok=True)
    shutil.rmtree(tmp_path / missing)
    with pytest.raises(CacheGraphError, match=r"there is no index\.json, so this is not an image layout"):
        cg.load(tmp_path)
