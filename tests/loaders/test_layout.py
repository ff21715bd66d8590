"""Image layouts: real ones, damaged ones, and ones made to do harm."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest

import cachegraph as cg
from cachegraph.errors import CacheGraphError, DecodeError, NoCacheError, NotFoundError
from cachegraph.loaders.base import Options
from tests.builders import CONFIG, INDEX, MANIFEST, Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "cache")


def failure(spec: str, options: Options | None = None) -> CacheGraphError:
    with pytest.raises(CacheGraphError) as caught:
        cg.load(spec, options=options)
    assert "\n" not in str(caught.value)
    return caught.value


# --- What is read --------------------------------------------------------------------------------------------------


def test_both_shapes_of_a_manifest_give_the_same_graph(layouts: Path) -> None:
    """`web-min` was exported with image-manifest=false."""
    (one,), (other,) = cg.load(str(layouts / "web-max")), cg.load(str(layouts / "web-min"))
    assert [r.digest for r in one.export.config.records] == [r.digest for r in other.export.config.records]
    assert one.loadable == other.loadable


def test_dockers_media_types_are_the_same_thing(layout: Layout) -> None:
    layer = layout.blob(b"layer")
    config = layout.blob(b'{"records": [{"digest": "a"}]}', CONFIG)
    listed = "application/vnd.docker.distribution.manifest.list.v2+json"
    layout.add({"mediaType": listed, "manifests": [layer, config]}, "latest")
    (graph,) = cg.load(str(layout.root))
    assert [blob.digest for blob in graph.export.blobs or ()] == [layer["digest"]]


def test_an_image_of_two_platforms_gives_an_export_for_each(layouts: Path) -> None:
    graph = cg.load(str(layouts / "web-multi-inline"))
    assert [(e.export.kind, e.export.platform, len(e)) for e in graph] == [
        ("inline", "linux/amd64", 23),
        ("inline", "linux/386", 23),
    ]
    assert len({e.id for e in graph}) == 2


def test_an_inline_cache_knows_what_made_each_layer(layouts: Path) -> None:
    (graph,) = cg.load(str(layouts / "web-oci"))
    assert [by for _, by in graph.export.layer_history][-1] == "RUN /bin/sh -c echo final > /final # buildkit"
    assert all(at and at.endswith("Z") for at, _ in graph.export.layer_history)


def test_all_tags_are_read_when_none_is_given(layout: Layout) -> None:
    for tag in ("one", "two"):
        layout.export(f'{{"records": [{{"digest": "{tag}"}}]}}'.encode(), tag=tag)
    src = f"type=local,src={layout.root}"
    assert [e.export.source for e in cg.load(str(layout.root))] == [f"{src},tag=one", f"{src},tag=two"]
    assert [e.record(0).digest for e in cg.load(f"{src},tag=two")] == ["two"]
    digest = layout.entries[0]["digest"]
    assert [e.export.source for e in cg.load(f"{src},digest={digest}")] == [f"{src},digest={digest}"]


def test_a_listed_blob_that_is_not_there(layouts: Path, tmp_path: Path) -> None:
    shutil.copytree(layouts / "scratch-file-max", tmp_path / "cache")
    (graph,) = cg.load(str(tmp_path / "cache"))
    assert graph.loadable[2] == 1
    blob = (graph.export.blobs or ())[0]
    (tmp_path / "cache" / "blobs" / blob.digest.replace(":", "/")).unlink()
    graph = cg.load(str(tmp_path / "cache")).graphs[0]
    assert [b.digest for b in graph.export.blobs or () if b.present is False] == [blob.digest]
    reasons = {graph.state(result).reason for r in range(len(graph)) for result in graph.results(r)}
    assert "blob-missing" in reasons


def test_a_blob_of_another_size_is_a_finding(layout: Layout) -> None:
    layer = layout.blob(b"layer")
    layout.export(b"{}", [{**layer, "size": 99}])
    (finding,) = cg.load(str(layout.root)).query("source-problems")
    assert (finding.severity, finding.digest) == ("error", layer["digest"])
    assert "has 5 bytes and the manifest says 99" in finding.message


def test_verify_reads_every_blob(layout: Layout) -> None:
    layer = layout.blob(b"layer")
    layout.export(b"{}", [layer])
    (layout.root / "blobs" / layer["digest"].replace(":", "/")).write_bytes(b"LAYER")
    assert len(cg.load(str(layout.root)).query("source-problems")) == 0
    (finding,) = cg.load(str(layout.root), options=Options(verify=True)).query("source-problems")
    assert finding.to_dict()["code"] == "digest-mismatch"


def test_a_config_over_one_mebibyte_is_refused_and_still_answered(layout: Layout) -> None:
    config = json.dumps({"records": [{"digest": "x" * 2_000_000}]}).encode()
    layout.export(config)
    (graph,) = cg.load(str(layout.root))
    digest = "sha256:" + hashlib.sha256(config).hexdigest()
    assert graph.import_error == f"blob {digest} is too large ({len(config)} > 1048576)"
    assert len(graph) == 1


def test_an_archive_is_read_like_its_directory(layouts: Path, tmp_path: Path) -> None:
    plain = cg.load(str(layouts / "web-max")).graphs[0]
    for suffix, mode in ((".tar", "w"), (".tar.gz", "w:gz"), (".tar.xz", "w:xz"), (".tar.bz2", "w:bz2")):
        archive = tmp_path / f"web{suffix}"
        with tarfile.open(archive, mode) as file:  # type: ignore[call-overload]  # a mode from a table
            file.add(layouts / "web-max", ".")
        (graph,) = cg.load(str(archive))
        assert graph.export.config == plain.export.config
        assert graph.loadable == plain.loadable
        assert graph.export.strays == ()


def test_mismatched_diff_ids_are_reported(layout: Layout) -> None:
    """BuildKit warns and ignores such an image."""
    image = {"rootfs": {"diff_ids": []}, "os": "linux", "architecture": "amd64", "moby.buildkit.cache.v0": "W10="}
    layout.add({"config": layout.blob(json.dumps(image).encode()), "layers": [layout.blob(b"layer")]})
    error = failure(str(layout.root))
    assert isinstance(error, NoCacheError)
    assert "BuildKit ignores the image of linux/amd64: it has 1 layers and 0 diff IDs" in str(error)


def test_attestations_are_passed_over(layouts: Path) -> None:
    assert isinstance(failure(str(layouts / "web-prov")), NoCacheError)


# --- What is wrong -------------------------------------------------------------------------------------------------


def test_no_such_directory(tmp_path: Path) -> None:
    assert str(failure(str(tmp_path / "none"))) == (
        f"{tmp_path / 'none'}: there is no such file or directory (check the path and the current folder)"
    )
    assert str(failure(f"type=local,src={tmp_path / 'none'}")) == (
        f"{tmp_path / 'none'}: there is no such directory or archive (check the path)"
    )


def test_an_empty_directory(tmp_path: Path) -> None:
    assert str(failure(str(tmp_path))) == (
        f"{tmp_path}: the directory is empty (give the directory that --cache-to type=local,dest=DIR wrote to)"
    )


def test_a_directory_that_is_no_layout(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("hello")
    assert "there is no index.json, so this is not an image layout" in str(failure(str(tmp_path)))


def test_an_unknown_tag_names_those_that_are_there(layout: Layout) -> None:
    layout.export(b"{}", tag="main")
    error = failure(f"type=local,src={layout.root},tag=nope")
    assert str(error) == (
        f"{layout.root}: there is no tag nope: BuildKit skips this cache with a warning, and every step runs "
        "(tags there: main; --all-tags reads them all)"
    )
    assert isinstance(error, NotFoundError)
    assert error.buildkit == "skip"


def test_without_a_tag_buildkit_looks_for_latest(layout: Layout) -> None:
    layout.export(b'{"records": [{"digest": "main"}]}', tag="main")
    spec = f"type=local,src={layout.root}"
    assert "there is no tag latest: BuildKit skips this cache" in str(failure(spec))
    (bare,) = cg.load(str(layout.root))  # a path orders nothing of BuildKit: what is there is read
    assert [problem.message for problem in bare.export.problems] == [
        "No manifest has the tag latest, which type=local looks for without tag=: add tag=main there."
    ]
    layout.export(b'{"records": [{"digest": "latest"}]}', tag="latest")
    for one in (spec, str(layout.root)):
        (graph,) = cg.load(one)
        assert graph.record(0).digest == "latest"
        (problem,) = graph.export.problems
        assert problem.message == "Other tags are there and were not read: main. --all-tags reads them."
    every = cg.load(spec, options=Options(tag_glob="*"))
    assert [graph.record(0).digest for graph in every] == ["main", "latest"]
    assert [graph.record(0).digest for graph in cg.load(spec, options=Options(tag_glob="m*"))] == ["main"]
    assert "no tag matches 'x*' (tags there: latest, main)" in str(failure(spec, Options(tag_glob="x*")))


def test_an_empty_tag_is_refused_as_buildkit_refuses_it(layout: Layout) -> None:
    layout.export(b"{}")
    error = failure(f"type=local,src={layout.root},tag=")
    assert (error.exit_code, error.buildkit) == (2, "fail")


def test_the_image_name_comes_before_the_tag_and_the_first_of_two_counts(layout: Layout) -> None:
    for digest in ("ref-1", "ref-2", "name"):
        layout.export(f'{{"records": [{{"digest": "{digest}"}}]}}'.encode(), tag="latest")
    digests = []
    for _ in range(2):
        digests.append(cg.load(f"type=local,src={layout.root}").graphs[0].record(0).digest)
        layout.entries[2]["annotations"]["io.containerd.image.name"] = "latest"
        layout.write()
    assert digests == ["ref-1", "name"]


def test_an_unknown_key_is_passed_over_with_a_warning(layout: Layout) -> None:
    layout.export(b"{}")
    (graph,) = cg.load(f"type=local,src={layout.root},tga=x")
    (problem,) = graph.export.problems
    assert (problem.code, problem.severity) == ("spec-trap", "warning")
    assert problem.message == "BuildKit ignores `tga=x`: tag is latest; did you mean `tag=x`?"


@pytest.mark.parametrize("digest", ["sha256:../../x", "sha256:abc", "md5:" + "a" * 32, "", "sha256:" + "A" * 64])
def test_a_digest_that_is_none_leads_nowhere(layout: Layout, digest: str) -> None:
    layout.export(b"{}", [{"digest": digest, "size": 1}])
    error = failure(str(layout.root))
    assert isinstance(error, DecodeError)
    assert f"{digest!r} is not a digest, expected sha256: and 64 hexadecimal digits" in str(error)


@pytest.mark.parametrize("where", ["blob", "index.json"])
def test_a_symbolic_link_out_of_the_directory_is_not_followed(layout: Layout, tmp_path: Path, where: str) -> None:
    layout.export(b"{}")
    (tmp_path / "secret").write_text("{}")
    path = layout.root / "index.json"
    if where == "blob":
        path = layout.root / "blobs" / layout.entries[0]["digest"].replace(":", "/")
    path.unlink()
    path.symlink_to(tmp_path / "secret")
    assert "is a link that leads out of the directory" in str(failure(str(layout.root)))


def test_a_link_to_itself(layout: Layout) -> None:
    layout.export(b"{}")
    path = layout.root / "blobs" / layout.entries[0]["digest"].replace(":", "/")
    path.unlink()
    path.symlink_to(path.name)
    assert failure(str(layout.root)).exit_code == 3


def test_a_config_whose_bytes_are_others(layout: Layout) -> None:
    layout.export(b'{"records": []}')
    for path in (layout.root / "blobs" / "sha256").iterdir():
        if path.read_bytes() == b'{"records": []}':
            path.write_bytes(b'{"records": [ ]}')
    assert "has other bytes than its digest says (it is damaged, export again)" in str(failure(str(layout.root)))
    path = next(path for path in (layout.root / "blobs" / "sha256").iterdir() if b"[ ]" in path.read_bytes())
    path.write_bytes(b'{"Records": []}')  # as long as before: BuildKit does not look further
    (graph,) = cg.load(str(layout.root))
    (problem,) = graph.export.problems
    assert (problem.code, problem.severity, problem.digest) == ("digest-mismatch", "warning", f"sha256:{path.name}")
    assert "BuildKit imports it unchecked" in problem.message


def test_a_config_that_is_missing(layout: Layout) -> None:
    config = layout.blob(b"{}", CONFIG)
    layout.add({"mediaType": MANIFEST, "config": config, "layers": []})
    (layout.root / "blobs" / config["digest"].replace(":", "/")).unlink()
    assert f"blob {config['digest']} is missing (the directory is damaged, export again)" in str(
        failure(str(layout.root))
    )


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ({"config": {}, "manifests": []}, "manifests: the manifest has both layers and manifests, BuildKit refuses it"),
        ({"mediaType": INDEX, "layers": []}, f"mediaType: {INDEX} does not match the manifest's contents"),
        ({"layers": [{"size": "x"}]}, 'layers[0].size: expected an integer of 64 bits, got "x"'),
    ],
)
def test_manifests_that_buildkit_refuses(layout: Layout, manifest: dict[str, Any], message: str) -> None:
    layout.add(manifest)
    assert message in str(failure(str(layout.root)))


def test_indexes_nested_without_end(layout: Layout) -> None:
    inner = layout.blob(json.dumps({"mediaType": INDEX, "manifests": []}).encode(), INDEX)
    for _ in range(20):
        inner = layout.blob(json.dumps({"mediaType": INDEX, "manifests": [inner]}).encode(), INDEX)
    layout.add({"mediaType": INDEX, "manifests": [inner]})
    assert "indexes are nested more than 8 deep" in str(failure(str(layout.root)))


@pytest.mark.parametrize("name", ["/etc/passwd", "../outside", "blobs/../../x"])
def test_an_archive_member_that_leads_out(tmp_path: Path, name: str) -> None:
    archive = tmp_path / "cache.tar"
    with tarfile.open(archive, "w") as file:
        member = tarfile.TarInfo(name)
        member.size = 2
        file.addfile(member, io.BytesIO(b"{}"))
    assert f"member {name!r} leads out of the archive" in str(failure(str(archive)))


def test_an_archive_that_is_cut_off(layouts: Path, tmp_path: Path) -> None:
    archive = tmp_path / "cache.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(layouts / "web-max", ".")
    archive.write_bytes(archive.read_bytes()[:5000])
    assert "the archive is cut off or damaged" in str(failure(str(archive)))


def test_a_file_that_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "cache.tar").write_text("hello")
    assert "this is no tar archive that can be read" in str(failure(str(tmp_path / "cache.tar")))


def test_one_damaged_tag_does_not_hide_the_others(layout: Layout) -> None:
    layout.export(b'{"records": [{"digest": "a"}]}', tag="good")
    layout.export(b"not json", tag="bad")
    graph = cg.load(str(layout.root))
    assert [len(e) for e in graph] == [1]
    assert "Another manifest there was not read" in next(iter(graph.query("source-problems"))).message


# --- What BuildKit does to images with inline cache ----------------------------------------------------------------


def inline(layout: Layout, records: str, **more: object) -> dict[str, Any]:
    """Add an image of one layer with these records, and describe its manifest."""
    image = {
        "os": "linux",
        "architecture": "amd64",
        "rootfs": {"diff_ids": ["sha256:" + "d" * 64]},
        "history": [{"created": "2026-01-01T00:00:00Z"}],
        "moby.buildkit.cache.v0": base64.b64encode(records.encode()).decode(),
        **more,
    }
    manifest = {"config": layout.blob(json.dumps(image).encode()), "layers": [layout.blob(records.encode())]}
    return layout.blob(json.dumps(manifest).encode(), MANIFEST)


def test_a_history_shorter_than_the_layers_kills_the_import(layout: Layout) -> None:
    layout.add({"mediaType": INDEX, "manifests": [inline(layout, "[]", history=[])]})
    graph = cg.load(str(layout.root))
    assert graph.import_error == "panic: runtime error: index out of range [0] with length 0"
    (problem,) = graph.graphs[0].export.problems
    assert (problem.code, problem.severity) == ("builder-panic", "error")
    assert problem.message.startswith(
        "importing this image ends buildkitd, with every build on it: its history tells of 0"
    )


def test_one_refused_image_of_an_index_refuses_them_all(layout: Layout) -> None:
    loop = '[{"digest": "a", "inputs": [[{"link": 0}]]}]'
    layout.add({"mediaType": INDEX, "manifests": [inline(layout, '[{"digest": "a"}]'), inline(layout, loop)]})
    assert [e.import_error for e in cg.load(str(layout.root))] == ["invalid looping record"] * 2


def test_a_history_with_a_time_that_is_none(layout: Layout) -> None:
    history = [{"created": "yesterday"}]
    layout.add({"mediaType": INDEX, "manifests": [inline(layout, "[]", history=history)]})
    assert "image config.history[0].created: expected an RFC 3339 time, got 'yesterday'" in str(
        failure(str(layout.root))
    )


def test_a_build_record_is_told_what_it_is(layouts: Path) -> None:
    path = layouts.parent / "records" / "args.dockerbuild"
    with pytest.raises(NotFoundError) as caught:
        cg.load(str(path))
    assert caught.value.message == f"{path}: this is a build record, no cache"
    assert f"cachegraph explain {path}" in (caught.value.hint or "")
