"""The graph as files for other programs: GraphML, DOT, Parquet, JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from cachegraph.core.graph import ExportGraph
from cachegraph.core.times import rfc3339
from cachegraph.errors import AccessError, MissingExtraError
from cachegraph.schema import facts
from cachegraph.schema.declaration import NODES, RELATIONSHIPS, Property
from cachegraph.schema.focus import shown
from cachegraph.text.clean import json_safe, one_line, plain, xml
from cachegraph.views.frames import FRAMES, columns
from cachegraph.views.networkx import to_networkx
from cachegraph.views.states import LOOKS, states
from cachegraph.views.words import caption

__all__ = ["WRITERS", "Writer", "write_dot", "write_graphml", "write_json", "write_parquet"]

Writer = Callable[[Sequence[ExportGraph], Path], None]
"""Writes exports to a path."""

_SHAPES = {"loadable": "ellipse", "merge": "diamond", "key only": "invtriangle", "root": "box", "lost root": "octagon"}


def write_graphml(graphs: Sequence[ExportGraph], path: Path) -> None:
    """Write the graph as GraphML, which Gephi, yEd and NetworkX read.

    Parameters
    ----------
    graphs : sequence of ExportGraph
    path : Path

    Raises
    ------
    MissingExtraError
        NetworkX is not installed.
    AccessError
        The file cannot be written.

    Notes
    -----
    `cachegraph.views.networkx.from_networkx` takes ``networkx.read_graphml(path, force_multigraph=True)``.
    """
    made = to_networkx(graphs)
    import networkx as nx

    for _, properties in made.nodes(data=True):
        properties.update({name: xml(value) for name, value in properties.items() if isinstance(value, str)})
    for *_, properties in made.edges(data=True):
        properties.update({name: xml(value) for name, value in properties.items() if isinstance(value, str)})
    renamed = {key: clean for key in made if (clean := xml(key)) != key}
    if renamed:
        made = nx.relabel_nodes(made, renamed)
    _written(path, lambda: nx.write_graphml(made, path, infer_numeric_types=False))


def write_dot(graphs: Sequence[ExportGraph], path: Path) -> None:
    """Write the record graph in Graphviz's language, to draw: records, and inputs from left to right.

    Parameters
    ----------
    graphs : sequence of ExportGraph
    path : Path

    Raises
    ------
    AccessError
        The file cannot be written.
    """
    text = 'digraph cache {\n  rankdir=LR;\n  node [style=filled, fontname="sans-serif"];'
    for graph in graphs:
        text += "\n" + "\n".join(_dot(graph))
    _written(path, lambda: path.write_text(f"{text}\n}}\n", encoding="utf-8"))


def _dot(graph: ExportGraph) -> Iterator[str]:
    of, records = states(graph), shown(graph)
    yield f"  subgraph {_quoted(f'cluster_{graph.id}')} {{"
    yield f"    label={_quoted(f'{graph.export.source} {graph.export.platform or str()}'.strip())};"
    for record in sorted(records):
        look = LOOKS[of[record]]
        label = _quoted(f"{record}  {caption(graph, record, 60)}")
        shape = f'shape={_SHAPES[of[record]]}, fillcolor="{look.colour}", tooltip={_quoted(look.meaning)}'
        yield f"    {_quoted(f'{graph.id}/r{record}')} [label={label}, {shape}];"
    for start, end, slot in facts.shown(graph, "INPUT").each("from", "to", "slot"):
        slots = graph.export.config.records[int(start.rpartition("/r")[2])].inputs
        style = ", style=dashed" if len(slots[slot]) > 1 else ""
        yield f'    {_quoted(end)} -> {_quoted(start)} [label="{slot}"{style}];'
    yield "  }"


def _quoted(text: str) -> str:
    """Quote for DOT, where only the double quote and the backslash mean something."""
    safe = plain(one_line(text)).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{safe}"'


def write_parquet(graphs: Sequence[ExportGraph], path: Path) -> None:
    """Write the data frames as Parquet files.

    Parameters
    ----------
    graphs : sequence of ExportGraph
    path : Path
        A folder, made where it is missing: a file for each of `cachegraph.views.frames.FRAMES`, such as
        ``records.parquet``.

    Raises
    ------
    MissingExtraError
        PyArrow is not installed.
    AccessError
        The folder cannot be written.

    Notes
    -----
    A column has the same type whatever the export holds, if nothing but nulls too, so files of several exports can be
    put together.
    """
    if find_spec("pyarrow") is None:
        raise MissingExtraError("Parquet", "parquet")
    import pyarrow as pa
    from pyarrow import parquet

    types = {
        "string": pa.string(),
        "integer": pa.int64(),
        "boolean": pa.bool_(),
        "time": pa.timestamp("ns", tz="UTC"),
        "strings": pa.list_(pa.string()),
        "integers": pa.list_(pa.int64()),
    }
    tables = {
        name: pa.table({one.name: pa.array(values, types[one.type]) for one, values in columns(graphs, name)})
        for name in FRAMES
    }

    def write() -> None:
        path.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            parquet.write_table(table, path / f"{name}.parquet")

    _written(path, write)


def write_json(graphs: Sequence[ExportGraph], path: Path) -> None:
    """Write the graph as JSON: ``{"nodes": {label: [..]}, "relationships": {type: [..]}}``, as the schema has it.

    Parameters
    ----------
    graphs : sequence of ExportGraph
    path : Path

    Raises
    ------
    AccessError
        The file cannot be written.

    Notes
    -----
    A relationship has the keys of its nodes as ``from`` and ``to``. Unknown is null; times are RFC 3339 in UTC. A blob
    of several exports stands there once for each.
    """
    document = {
        "nodes": {n.label: _objects(graphs, n.label, n.properties) for n in NODES},
        "relationships": {r.type: _objects(graphs, r.type, r.properties) for r in RELATIONSHIPS},
    }
    _written(path, lambda: path.write_text(json_safe(msgspec.json.encode(document).decode()), encoding="utf-8"))


def _objects(graphs: Sequence[ExportGraph], owner: str, properties: Sequence[Property]) -> list[dict[str, Any]]:
    times = [declared.name for declared in properties if declared.type == "time"]
    found = []
    for graph in graphs:
        rows = facts.shown(graph, owner)
        names = tuple(rows)
        for values in zip(*rows.values(), strict=True):
            one = dict(zip(names, values, strict=True))
            found.append(one | {name: None if one[name] is None else rfc3339(one[name]) for name in times})
    return found


def _written(path: Path, write: Callable[[], object]) -> None:
    try:
        write()
    except OSError as error:
        raise AccessError(f"{path}: {error.strerror or error}", hint="check that it can be written") from None


WRITERS: Mapping[str, Writer] = {
    "graphml": write_graphml,
    "dot": write_dot,
    "parquet": write_parquet,
    "json": write_json,
}
"""The writers by the name of their format."""
