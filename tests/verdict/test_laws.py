"""What holds of every verdict: no order changes it, and one export's says nothing of another."""

from __future__ import annotations

import dataclasses
import json
import random
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import cachegraph as cg
from cachegraph.cli.app import app
from cachegraph.core.decode import decode, encode
from cachegraph.core.model import CacheConfig
from cachegraph.graph import CacheGraph
from cachegraph.schema.summary import summarise
from cachegraph.verdict.judge import judge, step_name
from cachegraph.verdict.model import WORDS, Verdict
from tests.conftest import Verdict as Recorded
from tests.laws.test_laws import configs, permuted

NAMES = [
    "web-max",
    "web-oci",
    "web-churn",
    "scratch-file-inline",
    "web-multi-inline",
    "nested-max",
    "merge-plain-inline",
]


ABOUT_SEVERAL = "shadowed-keys"


def by_itself(verdict: Verdict) -> Verdict:
    """Leave out what depends on the clock, and what is about several caches."""
    causes = tuple(cause for cause in verdict.causes if cause.kind not in ("stale", ABOUT_SEVERAL))
    return dataclasses.replace(verdict, age_seconds=None, causes=causes)


def gist(config: CacheConfig, blobs: list[str] | None = None) -> tuple[Any, ...]:
    """Give a verdict without what an order may change: indexes, and what BuildKit does to those that it meets first.

    Of two results of one key with the same time and number of layers it keeps the first, so whether one gets lost
    depends on the order of the records.
    """
    (verdict,) = cg.from_config(encode(config), blobs).verdict()
    told = [cause for cause in verdict.causes if cause.kind != "duplicate-keys"]
    causes = sorted((cause.kind, cause.severity, len(cause.steps)) for cause in told)
    return verdict.word, verdict.cached, verdict.steps, verdict.earlier_steps, verdict.layers, causes


@given(st.data())
def test_the_order_of_records_changes_no_verdict(data: st.DataObject) -> None:
    config = data.draw(configs())
    order = data.draw(st.permutations(range(len(config.records))))
    assert gist(permuted(config, order)) == gist(config)


@given(configs(sound=False), st.lists(st.sampled_from([f"blob-{i}" for i in range(6)])))
def test_every_config_has_a_verdict_and_bad_ones_a_cause(config: CacheConfig, blobs: list[str]) -> None:
    graph = cg.from_config(encode(config), blobs=blobs)
    (verdict,) = graph.verdict()
    assert verdict.word in WORDS
    assert 0 <= verdict.cached <= verdict.steps or verdict.earlier_steps
    assert (verdict.word in ("COLD", "BREAKS THE BUILD")) == (verdict.severity == "error")
    if verdict.word == "PARTLY CACHED":
        assert verdict.causes
    assert (verdict.severity or "note") == (graph.check().worst() or "note")


def test_the_order_of_records_changes_no_verdict_on_real_exports(verdicts: list[Recorded]) -> None:
    chance = random.Random(11)
    for recorded in verdicts[::5]:
        config = decode(recorded.config)
        order = list(range(len(config.records)))
        chance.shuffle(order)
        assert gist(permuted(config, order), recorded.blobs) == gist(config, recorded.blobs), recorded.name


@settings(max_examples=20)
@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
def test_each_of_several_is_judged_as_alone(names: list[str]) -> None:
    root = Path(__file__).parent.parent / "data" / "layouts"
    alone = [by_itself(verdict) for name in names for verdict in cg.load(root / name).verdict()]
    together = [by_itself(verdict) for verdict in cg.load([root / name for name in names]).verdict()]
    assert together == alone


def test_the_order_of_findings_changes_no_verdict(layouts: Path) -> None:
    (graph,) = cg.load(layouts / "merge-plain-inline")
    findings = list(CacheGraph([graph.export]).check())
    made = [judge(summarise(graph), order, step_name(graph), now=0) for order in (findings, findings[::-1])]
    assert made[0] == made[1]


def test_the_command_says_of_each_what_it_says_of_it_alone(layouts: Path) -> None:
    def verdicts_of(*names: str) -> dict[str, Any]:
        specs = [str(layouts / name) for name in names]
        answer = json.loads(CliRunner().invoke(app, ["check", "--format", "json", *specs]).stdout)
        found = {f"{one['source']} {one['platform']}": one["verdict"] for one in answer["exports"]}
        for verdict in found.values():
            verdict["causes"] = [cause for cause in verdict["causes"] if cause["kind"] != ABOUT_SEVERAL]
        return found

    alone: dict[str, Any] = {}
    for name in NAMES:
        alone |= verdicts_of(name)
    assert verdicts_of(*NAMES) == alone == verdicts_of(*NAMES[::-1])
