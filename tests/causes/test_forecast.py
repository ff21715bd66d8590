"""A forecast in a notebook."""

from __future__ import annotations

from pathlib import Path

import cachegraph as cg
from cachegraph.predicting import forecast


def test_a_cache_has_its_short_name_in_a_notebook(tmp_path: Path) -> None:
    cold = cg.sample("cold", tmp_path / "cold")
    build = cg.build(cold / "app", dockerfile=cold / "Dockerfile", images=cold / "bases")
    found = forecast(build, cg.load(cold / "max.json").graphs)
    assert [line.reason for line in found.lines if line.line == 5] == [f"from type=config,src={cold / 'max.json'}"]
    shown = found._repr_mimebundle_()
    assert "  cached, loaded  from max.json\n" in shown["text/plain"]
    assert "<td>from max.json</td>" in shown["text/html"]
