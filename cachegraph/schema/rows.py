"""The graph as rows, in the columns that the schema declares. NetworkX, Neo4j and the data frames are made of them.

Times are integers here, nanoseconds since 1970 UTC, None where unknown. A window (`cachegraph.schema.focus`) has the
rows of its records, of their results, layers and blobs, and of the relationships between these.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from typing import Any

from cachegraph.core.graph import ExportGraph
from cachegraph.core.times import UNKNOWN, parse_times
from cachegraph.queries import merge_subsets, missing_results, size_forecast, unreachable_roots
from cachegraph.schema.focus import Window
from cachegraph.schema.summary import summarise

__all__ = ["NODE_ROWS", "RELATIONSHIP_ROWS", "Rows"]

Rows = Mapping[str, Sequence[Any]]
"""Columns of equal length, by property name; of relationships, ``from`` and ``to`` (keys of the nodes) come first."""

_COUNTED = (
    "records",
    "roots",
    "loadable_steps",
    "layers",
    "blob_bytes",
    "results_known",
    "importable",
    "import_error",
)


def _export(graph: ExportGraph) -> Rows:
    export = graph.export
    found = summarise(graph)
    weighed = next(iter(size_forecast.ask(graph)), None)  # a daemon has no config to weigh
    return {
        "id": [graph.id],
        "source": [export.source],
        "kind": [export.kind],
        "platform": [export.platform],
        "config_digest": [export.config_digest],
        "manifest_digest": [export.manifest_digest],
        "bytes": [export.config_bytes],
        "bytes_limit": [weighed and weighed.limit],
        "layers_bytes": [weighed and weighed.layers_bytes],
        "inputs_bytes": [weighed and weighed.inputs_bytes],
        "results_bytes": [weighed and weighed.results_bytes],
        "other_bytes": [weighed and weighed.other_bytes],
        **{name: [getattr(found, name)] for name in _COUNTED},
        "store": [export.store or None],
        "loaded_at": [time.time_ns()],
    }


def _records(graph: ExportGraph) -> Rows:
    records = graph.export.config.records
    names = [graph.naming(index) for index in range(len(records))]
    missing = {f.record: f.reason for f in missing_results.ask(graph)}
    reasons: dict[int | None, list[str]] = {root: [] for root in graph.roots}
    lost = {}
    for finding in unreachable_roots.ask(graph):
        reasons[finding.record].append(finding.reason)
        if finding.reason == "lost":
            lost[finding.record] = finding
    downstream = graph.links.count_above([*graph.missing, *graph.roots], graph.loadable)
    merged = {m.record: None if m.blobs is None else len(m.blobs) for m in graph.merge_layouts}
    every = range(len(records))
    return {
        "id": [f"{graph.id}/r{index}" for index in every],
        "index": list(every),
        "digest": [record.digest for record in records],
        "key_id": graph.key_ids,
        "op": [name.op for name in names],
        "name": [name.name or None for name in names],
        "is_root": [not record.inputs for record in records],
        "is_merge": [index in merged for index in every],
        "loadable": [bool(loadable) for loadable in graph.loadable],
        "bridged": [bool(bridged) for bridged in graph.bridged],
        "missing_reason": [missing.get(index) for index in every],
        "downstream_loadable": [downstream.get(index) for index in every],
        "root_reasons": [reasons.get(index) for index in every],
        "lost_merge": [lost[index].merge if index in lost else None for index in every],
        "lost_slot": [lost[index].slot if index in lost else None for index in every],
        "lost_layers": [_listed(lost[index].layers) if index in lost else None for index in every],
        "merged_layers": [merged.get(index) for index in every],
        "folds_into": [graph.folded[index][0] if index in graph.folded else None for index in every],
        "dropped_results": [graph.folded[index][1] if index in graph.folded else None for index in every],
    }


def _listed(layers: tuple[int, ...] | None) -> list[int] | None:
    return None if layers is None else list(layers)


def _result_ids(graph: ExportGraph) -> list[str]:
    return [
        f"{graph.id}/r{index}/{kind}{number}"
        for index, record in enumerate(graph.export.config.records)
        for kind, results in (("layers", record.layers), ("chains", record.chains))
        for number in range(len(results))
    ]


def _results(graph: ExportGraph) -> Rows:
    states = [graph.state(result) for result in range(len(graph.columns.is_chain))]
    return {
        "id": _result_ids(graph),
        "kind": ["chain" if chain else "layer" for chain in graph.columns.is_chain.tolist()],
        "created_at": [None if ns == UNKNOWN else ns for ns in graph.result_times.tolist()],
        "loadable": [state == 0 for state in states],
        "reason": [state.reason for state in states],
    }


def _layers(graph: ExportGraph) -> Rows:
    layers, history = graph.export.config.layers, graph.export.layer_history
    annotated = [layer.annotations.created_at if layer.annotations else None for layer in layers]
    created = [history[i][0] if i < len(history) else annotated[i] for i in range(len(layers))]
    return {
        "id": [f"{graph.id}/l{index}" for index in range(len(layers))],
        "index": list(range(len(layers))),
        "created_at": [_time(text) for text in created],
        "created_by": [history[i][1] if i < len(history) else None for i in range(len(layers))],
        "bytes": [graph.sizes.get(layer.blob) for layer in layers],
        "used": [bool(used) for used in graph.used_layers],
    }


def _time(text: str | None) -> int | None:
    """Read a time of an image's history, which nobody has checked."""
    with contextlib.suppress(ValueError):
        ns = UNKNOWN if text is None else int(parse_times([text])[0])
        return None if ns == UNKNOWN else ns
    return None


def _blobs(graph: ExportGraph) -> Rows:
    listed = {blob.digest: blob for blob in graph.export.blobs or ()}
    strays = {stray.digest: stray.size for stray in graph.export.strays or ()}
    digests = list(dict.fromkeys([*listed, *graph.columns.blobs, *strays]))
    return {
        "digest": digests,
        "size": [listed[digest].size if digest in listed else strays.get(digest) for digest in digests],
        "media_type": [listed[digest].media_type if digest in listed else None for digest in digests],
        "diff_id": [listed[digest].diff_id if digest in listed else None for digest in digests],
    }


def _problems(graph: ExportGraph) -> Rows:
    problems = graph.export.problems
    return {
        "id": [f"{graph.id}/p{index}" for index in range(len(problems))],
        "index": list(range(len(problems))),
        "code": [problem.code for problem in problems],
        "severity": [problem.severity for problem in problems],
        "digest": [problem.digest for problem in problems],
        "message": [problem.message for problem in problems],
    }


def _has_record(graph: ExportGraph) -> Rows:
    return _from_export(graph, [f"{graph.id}/r{index}" for index in range(len(graph))])


def _has_layer(graph: ExportGraph) -> Rows:
    return _from_export(graph, [f"{graph.id}/l{index}" for index in range(len(graph.columns.layer_parent))])


def _from_export(graph: ExportGraph, ends: list[str]) -> Rows:
    return {"from": [graph.id] * len(ends), "to": ends}


def _lists(graph: ExportGraph) -> Rows:
    blobs = graph.export.blobs
    if blobs is None:  # every layer's blob counts as listed
        return {**_from_export(graph, list(graph.columns.blobs)), "present": [None] * len(graph.columns.blobs)}
    return {**_from_export(graph, [b.digest for b in blobs]), "present": [b.present for b in blobs]}


def _has_stray(graph: ExportGraph) -> Rows:
    strays = graph.export.strays or ()
    return {
        **_from_export(graph, [stray.digest for stray in strays]),
        "bytes": [stray.size for stray in strays],
        "modified_at": [stray.modified_at for stray in strays],
    }


def _has_problem(graph: ExportGraph) -> Rows:
    return _from_export(graph, [f"{graph.id}/p{index}" for index in range(len(graph.export.problems))])


def _inputs(graph: ExportGraph) -> Rows:
    compared = {(f.record, f.slot, f.alternative): f for f in merge_subsets.ask(graph)}
    places = [
        (index, slot, number, alternative)
        for index, record in enumerate(graph.export.config.records)
        for slot, alternatives in enumerate(record.inputs)
        for number, alternative in enumerate(alternatives)
        if 0 <= alternative.link < len(graph)
    ]
    found = [compared.get(place[:3]) for place in places]
    return {
        "from": [f"{graph.id}/r{index}" for index, _, _, _ in places],
        "to": [f"{graph.id}/r{alternative.link}" for _, _, _, alternative in places],
        "slot": [slot for _, slot, _, _ in places],
        "alternative": [number for _, _, number, _ in places],
        "selector": [alternative.selector or None for _, _, _, alternative in places],
        "relation": [f.relation if f else None for f in found],
        "start": [f.start if f else None for f in found],
        "stop": [f.stop if f else None for f in found],
        "inferred": [f.inferred if f else None for f in found],
    }


def _has_result(graph: ExportGraph) -> Rows:
    owners = [(index, position) for index in range(len(graph)) for position in range(len(graph.results(index)))]
    return {
        "from": [f"{graph.id}/r{index}" for index, _ in owners],
        "to": _result_ids(graph),
        "position": [position for _, position in owners],
    }


def _uses(graph: ExportGraph) -> Rows:
    pairs = [
        (id_, layer, position)
        for result, id_ in enumerate(_result_ids(graph))
        for position, layer in enumerate(graph.result_layers(result))
    ]
    return {
        "from": [id_ for id_, _, _ in pairs],
        "to": [f"{graph.id}/l{layer}" for _, layer, _ in pairs],
        "position": [position for _, _, position in pairs],
    }


def _parent(graph: ExportGraph) -> Rows:
    parents = graph.columns.layer_parent.tolist()
    pairs = [(layer, parent) for layer, parent in enumerate(parents) if 0 <= parent < len(parents)]
    return {
        "from": [f"{graph.id}/l{layer}" for layer, _ in pairs],
        "to": [f"{graph.id}/l{parent}" for _, parent in pairs],
    }


def _blob(graph: ExportGraph) -> Rows:
    layers = graph.export.config.layers
    return {
        "from": [f"{graph.id}/l{index}" for index in range(len(layers))],
        "to": [layer.blob for layer in layers],
    }


def _window(graph: Window) -> set[str]:
    """Keys of the nodes that a window shows."""
    keys = {graph.id, *(f"{graph.id}/r{index}" for index in graph.shown)}
    keys |= {f"{graph.id}/p{index}" for index in range(len(graph.export.problems))}
    keys |= {stray.digest for stray in graph.export.strays or ()}
    owners = _has_result(graph)
    results = [result for result, owner in enumerate(owners["from"]) if owner in keys]
    layers = {layer for result in results for layer in graph.result_layers(result)}
    blobs = {graph.export.config.layers[layer].blob for layer in layers}
    return keys | {owners["to"][result] for result in results} | {f"{graph.id}/l{layer}" for layer in layers} | blobs


def _seen_through(make: Callable[[ExportGraph], Rows], *ends: str) -> Callable[[ExportGraph], Rows]:
    """Keep the rows whose ends a window shows."""

    def rows(graph: ExportGraph) -> Rows:
        whole = make(graph)
        if not isinstance(graph, Window):
            return whole
        keys = _window(graph)
        kept = [keys.issuperset(row) for row in zip(*(whole[end] for end in ends), strict=True)]
        return {name: list(compress(values, kept)) for name, values in whole.items()}

    return rows


NODE_ROWS: Mapping[str, Callable[[ExportGraph], Rows]] = {
    "Export": _export,
    "Record": _seen_through(_records, "id"),
    "Result": _seen_through(_results, "id"),
    "Layer": _seen_through(_layers, "id"),
    "Problem": _seen_through(_problems, "id"),
    "Blob": _seen_through(_blobs, "digest"),
}
"""Makes the rows of a label."""

RELATIONSHIP_ROWS: Mapping[str, Callable[[ExportGraph], Rows]] = {
    type_: _seen_through(make, "from", "to")
    for type_, make in {
        "HAS_RECORD": _has_record,
        "HAS_LAYER": _has_layer,
        "LISTS": _lists,
        "HAS_STRAY": _has_stray,
        "HAS_PROBLEM": _has_problem,
        "INPUT": _inputs,
        "HAS_RESULT": _has_result,
        "USES": _uses,
        "PARENT": _parent,
        "BLOB": _blob,
    }.items()
}
"""Makes the rows of a relationship type."""
