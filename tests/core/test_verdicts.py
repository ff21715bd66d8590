"""BuildKit's own verdicts on 24 real configs and 400 that were damaged on purpose."""

from __future__ import annotations

import cachegraph as cg
from cachegraph.core.folding import fold
from tests.conftest import Verdict


def test_every_refusal_has_buildkits_words(verdicts: list[Verdict]) -> None:
    assert len(verdicts) == 424
    found = {v.name: cg.from_config(v.config, blobs=v.blobs).import_error for v in verdicts}
    assert found == {v.name: v.error for v in verdicts}


def test_every_record_has_the_results_that_buildkit_keeps(verdicts: list[Verdict]) -> None:
    accepted = [v for v in verdicts if v.error is None]
    assert len(accepted) == 198
    for verdict in accepted:
        graph = cg.from_config(verdict.config, blobs=verdict.blobs)
        found = [[list(blobs) for blobs in graph.loadable_results(r)] for r in range(len(verdict.results))]
        assert found == verdict.results, verdict.name


def test_as_many_keys_as_buildkit_makes(verdicts: list[Verdict]) -> None:
    for verdict in verdicts:
        if verdict.error is not None:
            continue
        (graph,) = cg.from_config(verdict.config, blobs=verdict.blobs)
        keys = fold(graph.export.config, graph.links)
        with_results = {key for key, results in zip(keys, verdict.results, strict=True) if results and key >= 0}
        assert len(set(keys) - {-1}) == verdict.keys, verdict.name
        assert len(with_results) == verdict.keys_with_results, verdict.name
