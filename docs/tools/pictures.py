"""The pictures of the documentation, which the product itself draws from real exports: ``docs/pictures/*.svg``."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import cachegraph as cg
from benchmarks.synthetic import make_config
from cachegraph.core.decode import encode
from cachegraph.solver.prediction import Prediction
from cachegraph.views.drawing.svg import svg
from tests.views.monorepo import monorepo

__all__ = ["PICTURES"]

_ROOT = Path(__file__).parents[2]
_DATA = _ROOT / "tests" / "data"
_NAMES = str(_DATA / "records" / "go-registry-main.dockerbuild")
_LAYER = "sha256/741dcca3703e5da16345821ae4c39acd660f0473614411a48750a1e383328cbe"
_CHANGED = "COPY . . (Dockerfile:6)"
_AGE = re.compile(r"; newest result [^;<]*? old\b")


def _cold(mode: str) -> cg.CacheGraph:
    """Read a cache of the tutorial's build, its steps called by their instructions."""
    return cg.load(str(_DATA / "cold" / f"{mode}.json"), names=_NAMES)


def _changed(mode: str) -> str:
    """Draw what the next build does of that cache after a change of the program's files."""
    cache = _cold(mode)
    return _drawn(cache, prediction=cg.simulate(cache, _CHANGED, content="other"))


def _raced() -> str:
    """Draw what a build can tell beforehand of two caches that hold the same keys, one without results."""
    build = _cold("max")
    return _drawn(build, prediction=cg.simulate(build, _CHANGED, caches=[build, _cold("inline")], content="other"))


def _lost() -> str:
    """Draw a directory that has lost one of its blobs."""
    with TemporaryDirectory() as folder:
        copy = shutil.copytree(_DATA / "layouts" / "web-max", Path(folder) / "cache")
        (copy / "blobs" / _LAYER).unlink()
        return _drawn(cg.load(str(copy), names=str(_DATA / "layouts" / "web-prov")))


def _layout(name: str) -> cg.CacheGraph:
    return cg.load(str(_DATA / "layouts" / name))


def _costly() -> str:
    """Draw what a change of each record costs."""
    graph = _layout("web-max")
    return _plain(graph.plot(blast=cg.blast_radius(graph)).svg)


def _heavy() -> str:
    """Draw the bytes that each step adds."""
    scene = _layout("web-oci").plot().scene
    names = [overlay.name for overlay in scene.overlays]
    return _plain(svg(scene, overlay=names.index("bytes")))


def _counted() -> str:
    """Draw more records than can be drawn."""
    return _drawn(cg.from_config(encode(make_config(20_000))))


def _drawn(graph: cg.CacheGraph, *, prediction: Prediction | None = None) -> str:
    """Draw a graph."""
    return _plain(graph.plot(prediction=prediction).svg)


def _plain(text: str) -> str:
    """Leave out of a picture what is another one each day or on each machine."""
    return _AGE.sub("", text).replace(f"{_ROOT}/", "") + "\n"


PICTURES: Mapping[str, Callable[[], str]] = {
    "max": lambda: _drawn(_cold("max")),
    "inline": lambda: _drawn(_cold("inline")),
    "changed-max": lambda: _changed("max"),
    "changed-inline": lambda: _changed("inline"),
    "lost-blob": _lost,
    "merge": lambda: _drawn(cg.load(str(_DATA / "layouts" / "scratch-file-inline"))),
    "race": _raced,
    "costly": _costly,
    "heavy": _heavy,
    "folded": lambda: _drawn(monorepo(140)),
    "counted": _counted,
}
"""Makes each picture, by the name of its file."""
