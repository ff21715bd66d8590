"""Each kind of damage is one cause, with what follows for the store that it is in."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import cachegraph as cg
from cachegraph.cli.app import app
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import Blob, Fault
from cachegraph.graph import CacheGraph
from cachegraph.verdict.model import Cause, Verdict
from tests.builders import INDEX, export_graph, layers, record

STEPS = (
    record("base"),
    record("RUN low", [0], layer=0),
    record("RUN high", [1], layer=1),
    record("RUN beside", [0], chain=(2,)),
)
STACK = layers(-1, 0, -1)
PLACES = {
    "registry": "type=registry,ref=registry.example.com/app:cache",
    "local": "type=local,src=./cache,tag=latest",
    "s3": "type=s3,bucket=b,region=eu-west-1,name=main",
    "azblob": "type=azblob,account_url=https://a.example,container=c,name=main",
    "gha": "type=gha,scope=main,ref=refs/heads/main",
}


def judged(store: str, *, inline: bool = False, **blobs: Blob) -> Verdict:
    """Judge an export in a store; `blobs` stand for those of the same number: ``blob_0=Blob(...)``."""
    listed = [blobs.get(f"blob_{n}", Blob(digest=f"blob-{n}", size=10, present=True)) for n in range(3)]
    annotated = STACK
    graph = export_graph(
        *STEPS, stack=annotated, blobs=listed, kind="inline" if inline else store, source=PLACES[store]
    )
    if store in ("s3", "azblob", "gha"):  # they describe their blobs in the config
        graph = export_graph(*STEPS, stack=_annotated(), blobs=listed, kind=store, source=PLACES[store])
    (verdict,) = _graph(graph).verdict()
    return verdict


def _annotated() -> Any:  # noqa: ANN401 - a tuple of layers
    from cachegraph.core.model import LayerAnnotations

    return tuple(replace_struct(layer, annotations=LayerAnnotations(diff_id="sha256:d")) for layer in STACK)


def replace_struct(struct: Any, **changes: Any) -> Any:  # noqa: ANN401 - msgspec's own
    import msgspec

    return msgspec.structs.replace(struct, **changes)


def _graph(graph: ExportGraph) -> CacheGraph:
    return CacheGraph([graph.export])


def only(verdict: Verdict) -> Cause:
    (cause,) = verdict.causes
    return cause


LOST = {
    "registry": ("BREAKS THE BUILD", "A build fails as soon as it needs", "the registry's clean-up"),
    "s3": ("BREAKS THE BUILD", "A build fails as soon as it needs", "touch_refresh"),
    "azblob": ("PARTLY CACHED", "cannot load it, and may fail", "lifecycle"),
    "gha": ("PARTLY CACHED", "cannot load it, and may fail", "quota (10 GB by default) and its age limit of 7 days"),
    "local": ("PARTLY CACHED", "runs the step instead, and fails if the blob belongs to its base image", "who deletes"),
}


@pytest.mark.parametrize("store", LOST)
def test_a_lost_blob(store: str) -> None:
    word, cost, deletes = LOST[store]
    verdict = judged(store, blob_0=Blob(digest="blob-0", size=2048, present=False))
    cause = only(verdict)
    assert (verdict.word, verdict.cached, verdict.steps, verdict.presence) == (word, 1, 3, "lost")
    assert (cause.kind, cause.code, cause.severity) == ("lost-blob", "CG111", "error")
    assert (cause.blobs, cause.steps) == (("blob-0",), (1, 2))
    assert cause.what == "Blob blob-0 (2.0 KiB) is gone, and 2 steps cannot be loaded without it."
    assert cost in cause.cost
    assert "every build that exports its cache as well fails, unless it says ignore-error=true" in cause.cost
    assert deletes in cause.cure
    assert cause.paste is not None


@pytest.mark.parametrize(("store", "word"), [("registry", "BREAKS THE BUILD"), ("local", "PARTLY CACHED")])
def test_a_lost_blob_of_an_inline_cache_is_its_images(store: str, word: str) -> None:
    verdict = judged(store, inline=True, blob_1=Blob(digest="blob-1", present=False))
    assert (verdict.word, verdict.cached) == (word, 2)
    assert [cause.kind for cause in verdict.causes] == ["lost-blob"]


def test_several_lost_blobs_are_one_cause() -> None:
    first, third = (Blob(digest=f"blob-{n}", size=1024, present=False) for n in (0, 2))
    verdict = judged("registry", blob_0=first, blob_2=third)
    assert only(verdict).what == "2 blobs (2.0 KiB) are gone, and 3 steps cannot be loaded without them."
    assert verdict.word == "BREAKS THE BUILD"


def test_a_lost_blob_that_no_step_needs_fails_exports_alone() -> None:
    blobs = [Blob(digest=f"blob-{n}", present=True) for n in range(3)]
    more = [*blobs, Blob(digest="blob-9", size=5, present=False)]
    (verdict,) = _graph(export_graph(*STEPS, stack=STACK, blobs=more, kind="registry")).verdict()
    cause = only(verdict)
    assert (verdict.word, cause.severity, cause.steps) == ("CACHED", "error", ())
    assert cause.what == "Blob blob-9 (5 B) is gone; no step needs it to be loaded."
    assert cause.cost.startswith("Every build that exports its cache as well fails")


FAULTS: list[tuple[Fault, str, str, str]] = [
    ("wrong-size", "registry", "BREAKS THE BUILD", "error"),
    ("wrong-digest", "s3", "BREAKS THE BUILD", "error"),
    ("wrong-diff-id", "azblob", "BREAKS THE BUILD", "error"),
    ("wrong-media-type", "registry", "BREAKS THE BUILD", "error"),
    ("wrong-size", "local", "PARTLY CACHED", "warning"),
    ("wrong-size", "gha", "PARTLY CACHED", "warning"),
    ("no-diff-id", "registry", "PARTLY CACHED", "warning"),
    ("no-diff-id", "local", "PARTLY CACHED", "warning"),
]


@pytest.mark.parametrize(("fault", "store", "word", "severity"), FAULTS)
def test_a_damaged_blob_cannot_be_loaded(fault: Fault, store: str, word: str, severity: str) -> None:
    verdict = judged(store, blob_1=Blob(digest="blob-1", size=7, present=True, fault=fault))
    cause = only(verdict)
    assert (verdict.word, verdict.cached, verdict.damaged_blobs) == (word, 2, 1)
    assert (cause.kind, cause.severity, cause.steps) == ("damaged-blob", severity, (2,))
    fails = (
        "A build that needs one of them fails." if severity == "error" else "A build that needs one of them runs it."
    )
    assert cause.cost == fails


# --- Layouts that were damaged ----------------------------------------------------------------------------------------


class Damaged:
    """A copy of a layout, to be changed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.index = json.loads((root / "index.json").read_bytes())
        self.manifest = json.loads(self.path(self.index["manifests"][0]["digest"]).read_bytes())

    def path(self, digest: str) -> Path:
        return self.root / "blobs" / "sha256" / digest.partition(":")[2]

    def blob(self, data: bytes) -> dict[str, Any]:
        digits = hashlib.sha256(data).hexdigest()
        self.path(f"sha256:{digits}").write_bytes(data)
        return {"digest": f"sha256:{digits}", "size": len(data)}

    def written(self) -> str:
        """Write manifest and index again."""
        self.index["manifests"][0] |= self.blob(json.dumps(self.manifest).encode())
        (self.root / "index.json").write_text(json.dumps(self.index))
        return str(self.root)

    @property
    def top(self) -> dict[str, Any]:
        """The uppermost layer: the last step's."""
        found: dict[str, Any] = self.manifest["layers"][-1]
        return found


@pytest.fixture
def damaged(layouts: Path, tmp_path: Path) -> Callable[[str], Damaged]:
    return lambda name: Damaged(Path(shutil.copytree(layouts / name, tmp_path / name)))


def check(*args: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(app, ["check", "--format", "json", *args])
    return result.exit_code, json.loads(result.stdout)


def severe(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(f["query"], f["severity"]) for f in answer["findings"] if f["severity"] != "note"]


def worth(answer: dict[str, Any]) -> tuple[str, int, int, list[tuple[str, str]]]:
    verdict = answer["exports"][0]["verdict"]
    causes = [(cause["kind"], cause["severity"]) for cause in verdict["causes"] if cause["kind"] != "stale"]
    return verdict["word"], verdict["cached"], verdict["steps"], causes


def test_a_blob_that_somebody_deleted(damaged: Callable[[str], Damaged]) -> None:
    layout = damaged("web-max")
    layout.path(layout.top["digest"]).unlink()
    code, answer = check(str(layout.root))
    assert (code, severe(answer)) == (1, [("uncached-steps", "error")])
    word, cached, steps, causes = worth(answer)
    assert (word, steps, causes) == ("PARTLY CACHED", 13, [("lost-blob", "error")])
    assert cached < 13


def test_a_blob_of_another_size_is_told_once(damaged: Callable[[str], Damaged]) -> None:
    layout = damaged("web-max")
    layout.path(layout.top["digest"]).write_bytes(b"short")
    code, answer = check(str(layout.root))
    assert (code, severe(answer)) == (0, [("uncached-steps", "warning")])
    assert worth(answer)[3] == [("damaged-blob", "warning")]
    graph = cg.load(layout.root)
    ((verdict,),) = [list(graph.verdict())]
    assert {finding.record for finding in graph.missing_results()} == set(verdict.causes[0].steps)
    assert set(graph.results["reason"].dropna()) == {"blob-damaged"}


def test_other_bytes_show_when_somebody_looks(damaged: Callable[[str], Damaged]) -> None:
    layout = damaged("web-max")
    path = layout.path(layout.top["digest"])
    path.write_bytes(bytes(len(path.read_bytes())))
    assert worth(check(str(layout.root))[1])[3] == []
    code, answer = check("--verify", str(layout.root))
    assert (code, severe(answer)) == (0, [("uncached-steps", "warning")])
    assert worth(answer)[3] == [("damaged-blob", "warning")]


@pytest.mark.parametrize("layout", ["web-max", "web-zstd", "web-min", "web-oci"])
def test_sound_bytes_verify(layouts: Path, layout: str) -> None:
    _, answer = check("--verify", str(layouts / layout))
    assert answer["exports"][0]["verdict"]["damaged_blobs"] == 0


def test_a_wrong_diff_id(damaged: Callable[[str], Damaged]) -> None:
    layout = damaged("web-max")
    layout.top["annotations"]["containerd.io/uncompressed"] = "sha256:" + "d" * 64
    _, answer = check("--verify", layout.written())
    assert worth(answer)[3] == [("damaged-blob", "warning")]
    assert answer["exports"][0]["verdict"]["causes"][0]["what"].endswith("has other content than the diff ID says.")


@pytest.mark.parametrize(
    ("media_type", "options", "found"),
    [
        ("application/octet-stream", [], True),
        ("application/vnd.oci.image.layer.v1.tar+zstd", ["--verify"], True),
        ("application/vnd.oci.image.layer.v1.tar+zstd", [], False),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", ["--verify"], False),
    ],
)
def test_a_wrong_media_type(
    damaged: Callable[[str], Damaged], media_type: str, options: list[str], *, found: bool
) -> None:
    layout = damaged("web-max")
    layout.top["mediaType"] = media_type
    _, answer = check(*options, layout.written())
    assert worth(answer)[3] == ([("damaged-blob", "warning")] if found else [])


def test_a_tool_that_drops_annotations_leaves_every_build_cold(damaged: Callable[[str], Damaged]) -> None:
    layout = damaged("web-max")
    for layer in layout.manifest["layers"]:
        layer.pop("annotations")
    code, answer = check(layout.written())
    assert (code, severe(answer)) == (1, [("uncached-steps", "error")])
    assert worth(answer) == ("COLD", 0, 13, [("damaged-blob", "error")])


def test_a_manifest_that_lacks_layers(damaged: Callable[[str], Damaged]) -> None:
    layout = damaged("web-max")
    layout.manifest["layers"] = layout.manifest["layers"][:-1]
    code, answer = check(layout.written())
    assert (code, severe(answer)) == (0, [("uncached-steps", "warning")])
    assert worth(answer)[3] == [("unlisted-blob", "warning")]


def test_an_image_without_history_ends_buildkitd(damaged: Callable[[str], Damaged]) -> None:
    layout = damaged("web-oci")
    index = layout.index["manifests"][0]
    if index["mediaType"] == INDEX:
        pytest.fail("the layout is of one image")
    config = json.loads(layout.path(layout.manifest["config"]["digest"]).read_bytes())
    config["history"] = []
    layout.manifest["config"] |= layout.blob(json.dumps(config).encode())
    code, answer = check(layout.written())
    assert (code, severe(answer)) == (1, [("import-errors", "error")])
    assert worth(answer) == ("BREAKS THE BUILD", 0, 13, [("no-history", "error")])


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({"records": [], "layers": []}, "empty"),
        ({"records": [{"digest": "a"}]}, "empty"),
        ({"records": [{"digest": "a", "inputs": [[{"link": 0}]]}]}, "refused"),
    ],
)
def test_a_cold_export(damaged: Callable[[str], Damaged], config: dict[str, Any], kind: str) -> None:
    layout = damaged("web-max")
    layout.manifest["config"] |= layout.blob(json.dumps(config).encode())
    code, answer = check(layout.written())
    assert (code, len(severe(answer))) == (1, 1)
    assert (worth(answer)[0], worth(answer)[3]) == ("COLD", [(kind, "error")])


def test_a_config_over_the_limit(damaged: Callable[[str], Damaged]) -> None:
    layout = damaged("web-max")
    records = [{"digest": f"sha256:{number:064x}"} for number in range(14_000)]
    layout.manifest["config"] |= layout.blob(json.dumps({"records": records}).encode())
    code, answer = check(layout.written())
    assert (code, severe(answer)) == (1, [("import-errors", "error")])
    assert (worth(answer)[0], worth(answer)[3]) == ("COLD", [("too-large", "error")])


def test_a_config_that_will_soon_be_too_large(damaged: Callable[[str], Damaged]) -> None:
    layout = damaged("web-max")
    config = json.loads(layout.path(layout.manifest["config"]["digest"]).read_bytes())
    config["padding"] = "x" * 900_000
    layout.manifest["config"] |= layout.blob(json.dumps(config).encode())
    code, answer = check(layout.written())
    assert (code, severe(answer)) == (0, [("size-forecast", "warning")])
    assert (worth(answer)[0], worth(answer)[3]) == ("CACHED", [("size-forecast", "warning")])


def test_a_config_that_was_cut_off(damaged: Callable[[str], Damaged]) -> None:
    layout = damaged("web-max")
    data = layout.path(layout.manifest["config"]["digest"]).read_bytes()
    layout.manifest["config"] |= layout.blob(data[: len(data) // 2])
    result = CliRunner().invoke(app, ["check", layout.written()])
    assert result.exit_code == 3
    assert "\n  UNREADABLE\n" in result.stdout
    assert "BuildKit cannot read it either, so every step runs." in result.stdout


def test_a_tag_that_is_not_there_is_cold(layouts: Path) -> None:
    result = CliRunner().invoke(app, ["check", f"type=local,src={layouts / 'web-max'},tag=nope"])
    assert result.exit_code == 3
    assert "\n  COLD\n" in result.stdout
    assert "there is no tag nope" in result.stdout.lower()
    assert "BuildKit skips this cache with a warning, and every step runs." in result.stdout


def test_a_cause_is_told_whoever_holds_the_export() -> None:
    verdict = judged("registry", blob_0=Blob(digest="blob-0", present=False))
    other = judged("s3", blob_0=Blob(digest="blob-0", present=False))
    assert verdict.causes[0].steps == other.causes[0].steps
    assert replace(verdict, causes=()).word == other.word
