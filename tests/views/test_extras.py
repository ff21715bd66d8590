"""Without the extras everything imports, and what needs one says which."""

from __future__ import annotations

import subprocess
import sys

import pytest

_CALLS = {
    "graph.records": ("a data frame", "notebook"),
    "graph.check().to_frame()": ("a data frame", "notebook"),
    "graph.to_networkx()": ("a NetworkX graph", "notebook"),
    "graph.plot().save('x.png')": ("a PNG of a drawing", "notebook"),
    "graph.plot_merge(0)": ("a plot", "notebook"),
    "graph.plot_bytes()": ("a plot", "notebook"),
    "files.write_graphml(graph.graphs, Path('x'))": ("a NetworkX graph", "notebook"),
    "files.write_parquet(graph.graphs, Path('x'))": ("Parquet", "parquet"),
    "progress.one_line()": ("progress in a notebook", "notebook"),
}
_MERGE = '{"records": [{"digest": "%s", "inputs": [[{"link": 1}], [{"link": 1}]]}, {"digest": "r"}]}'
_PROGRAM = """
import sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"pandas", "matplotlib", "networkx", "numpy", "resvg_py", "pyarrow", "IPython"}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Nothing())
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "pyarrow" else found(name, *rest)
from pathlib import Path
import cachegraph as cg
from cachegraph.core.operations import operation_digests
from cachegraph.errors import MissingExtraError
from cachegraph.views import files, progress, frames, networkx
from cachegraph.views.figures import plot_merge
from cachegraph.views.figures import plot_bytes
from cachegraph.views.html import drawing
from cachegraph.views.html import record
merge = next(digest for digest, known in operation_digests().items() if known == ("merge", 2))
graph = cg.from_config(CONFIG.replace("%s", merge).encode())
assert graph.plot().svg.startswith("<svg")
print(graph._repr_mimebundle_()["text/plain"], graph.record(0), graph.check()._repr_mimebundle_()["text/plain"])
for call in CALLS:
    try:
        eval(call)
    except MissingExtraError as error:
        print(call, "::", error)
"""


@pytest.fixture(scope="module")
def said() -> str:
    program = _PROGRAM.replace("CONFIG", repr(_MERGE)).replace("CALLS", repr(list(_CALLS)))
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("call", _CALLS)
def test_what_needs_an_extra_names_it(said: str, call: str) -> None:
    feature, extra = _CALLS[call]
    assert f"{call} :: {feature} needs more packages (pip install 'cachegraph[{extra}]')" in said


def test_displays_need_none(said: str) -> None:
    assert "record 0: merge of 2 inputs" in said
