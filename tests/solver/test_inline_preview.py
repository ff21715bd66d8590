"""What inline export would keep, against real inline exports of the same builds."""

from __future__ import annotations

from pathlib import Path

import pytest

import cachegraph as cg
from cachegraph.solver.inline_preview import inline_preview
from tests.solver.exports import BASE, export

PAIRS = ["diff-chain", "merge-plain", "nested", "scratch-file", "scratch-file-file", "wide-12", "web-multi"]


@pytest.mark.parametrize("name", PAIRS)
def test_equal_to_the_real_inline_export(layouts: Path, name: str) -> None:
    (full,) = cg.load(str(layouts / f"{name}-max"))
    for inline in cg.load(str(layouts / f"{name}-inline")):
        expected = {
            (
                inline.key_ids[index],
                tuple(result.layer for result in record.layers),
                tuple(c.layers for c in record.chains),
            )
            for index, record in enumerate(inline.export.config.records)
            if record.layers or record.chains
        }
        image = [layer.blob for layer in inline.export.config.layers]
        found = {
            (
                full.key_ids[row.record],
                (row.layers[-1],) if row.kept == "layers" else (),
                (row.layers,) if row.kept == "chains" else (),
            )
            for row in inline_preview(full, image)
            if row.kept != "lost"
        }
        assert found == expected


def test_a_single_build_of_web(layouts: Path) -> None:
    inline = cg.load(str(layouts / "web-oci")).graphs[0]
    found = inline_preview(cg.load(str(layouts / "web-max")), [layer.blob for layer in inline.export.config.layers])
    assert found.summary == (
        "Inline export keeps 7 of 13 results (4 as layers, 3 as chains) and loses 6 (6.2 MiB): such a step runs again "
        "whenever one that needs it does. Export with mode=max to a cache of its own to keep them."
    )
    assert all(row.outside for row in found.lost)


def test_an_image_of_everything_loses_nothing() -> None:
    found = inline_preview(export(BASE), ["b0", "b1", "b2"])
    assert [(row.record, row.kept, row.layers) for row in found] == [
        (2, "layers", (0,)),
        (3, "layers", (0, 1)),
        (4, "layers", (0, 1, 2)),
    ]
    assert found.summary == "Inline export keeps 3 of 3 results (3 as layers, 0 as chains)."


def test_an_image_of_another_build_keeps_what_it_holds() -> None:
    found = inline_preview(export(BASE), ["x", "b0", "b1"])
    assert [(row.record, row.kept, row.layers, row.outside) for row in found] == [
        (2, "chains", (1,), ()),
        (3, "chains", (1, 2), ()),
        (4, "lost", (), ("b2",)),
    ]


def test_as_a_data_frame() -> None:
    frame = inline_preview(export(BASE), ["b0"]).to_frame()
    assert list(frame["kept"]) == ["layers", "lost", "lost"]
