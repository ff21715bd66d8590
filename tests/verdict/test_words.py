"""The pieces of a verdict: the line to paste, the age, the share, the order, and the views of several."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import cachegraph as cg
from cachegraph.errors import AccessError, DecodeError, NoCacheError, NotFoundError, SpecError
from cachegraph.text.durations import age_text
from cachegraph.verdict.cures import cache_to, place
from cachegraph.verdict.failures import failed_verdict
from cachegraph.verdict.model import WORDS, Cause, Presence, Verdict, Word
from cachegraph.verdict.verdicts import Verdicts
from cachegraph.verdict.words import age, facts, headline, pasted, presence, share


def verdict(word: Word = "CACHED", **fields: object) -> Verdict:
    return Verdict(**{"export": "e", "spec": "type=config,src=c.json", "word": word, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spec", "inline", "line"),
    [
        ("type=registry,ref=r.io/app:cache", False, "--cache-to type=registry,ref=r.io/app:cache,mode=max"),
        ("type=registry,ref=r.io/app:1.2", True, "--cache-to type=registry,ref=r.io/app:1.2-cache,mode=max"),
        ("type=registry,ref=r.io/app:cache", True, "--cache-to type=registry,ref=r.io/app:cache,mode=max"),
        ("type=registry,ref=r.io:5000/app", True, "--cache-to type=registry,ref=r.io:5000/app:cache,mode=max"),
        ("type=registry,ref=r.io/app@sha256:ab", True, "--cache-to type=registry,ref=r.io/app:cache,mode=max"),
        ("type=local,src=./cache,tag=latest", False, "--cache-to type=local,dest=./cache,mode=max"),
        ("type=local,src=./cache,tag=main", False, "--cache-to type=local,dest=./cache,tag=main,mode=max"),
        ("type=local,src=./image/,digest=sha256:ab", True, "--cache-to type=local,dest=./image-cache,mode=max"),
        ("type=local,src=/my cache", False, "--cache-to 'type=local,dest=/my cache,mode=max'"),
        ('type=local,"src=/a,b"', False, "--cache-to 'type=local,\"dest=/a,b\",mode=max'"),
        ("type=s3,bucket=b,region=r,name=main", False, "--cache-to type=s3,bucket=b,region=r,name=main,mode=max"),
        ("type=gha,repository=o/r,scope=web,ref=refs/heads/main", False, "--cache-to type=gha,scope=web,mode=max"),
        ("type=config,src=c.json", False, None),
        ("type=daemon,db=cache.db", False, None),
        ("cache\nwith a line end", False, None),
    ],
)
def test_the_line_to_paste_has_the_exports_own_place(spec: str, line: str | None, *, inline: bool) -> None:
    assert cache_to(spec, inline=inline) == line


def test_what_is_no_spec_has_no_place() -> None:
    assert place("./cache") == {}
    assert place("") == {}


def test_a_title_can_be_pasted() -> None:
    assert pasted("type=registry,ref=app:latest") == "app:latest"
    assert pasted('type=registry,"ref=a,b"') == "'type=registry,\"ref=a,b\"'"
    assert pasted("type=gha,scope=web;rm -rf") == "'type=gha,scope=web;rm -rf'"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (86_400 * 2 - 1, "47 h"),
        (86_400 * 13, "13 days"),
        (86_400 * 14, "2 weeks"),
        (86_400 * 60, "2 months"),
        (86_400 * 800, "2 years"),
    ],
)
def test_ages(seconds: float, text: str) -> None:
    assert age_text(seconds) == text


@pytest.mark.parametrize(
    ("cached", "steps", "text"),
    [
        (0, 0, "no steps"),
        (0, 1, "0 of 1 step (0 %)"),
        (7, 13, "7 of 13 steps (54 %)"),
        (1, 1000, "1 of 1,000 steps (1 %)"),
        (999, 1000, "999 of 1,000 steps (99 %)"),
        (13, 13, "13 of 13 steps (100 %)"),
    ],
)
def test_a_share_is_neither_nothing_nor_all_unless_it_is(cached: int, steps: int, text: str) -> None:
    assert share(verdict(cached=cached, steps=steps)) == text


@pytest.mark.parametrize(
    ("known", "fields", "text"),
    [
        ("there", {}, "all there"),
        ("there", {"damaged_blobs": 1}, "1 of 6 damaged"),
        ("lost", {"lost_blobs": 2}, "2 of 6 gone"),
        ("lost", {"lost_blobs": 2, "damaged_blobs": 1}, "2 of 6 gone, 1 of 6 damaged"),
        ("not-asked", {}, "not asked whether they are there"),
        ("partly-asked", {"probed_blobs": 3}, "3 of 6 asked, and there"),
        ("no-store", {}, ""),
    ],
)
def test_presence_claims_no_more_than_was_asked(known: Presence, fields: dict[str, Any], text: str) -> None:
    assert presence(verdict(presence=known, listed_blobs=6, **fields)) == text


def test_a_headline_leaves_out_what_is_unknown() -> None:
    assert headline(verdict(kind="config", presence="no-store", steps=2, layers=1)) == (
        "CACHED  0 of 2 steps (0 %)  1 layer  config"
    )
    full = verdict(
        kind="registry", platform="linux/amd64", shape="index", compression=("gzip", "zstd"), bytes=2048, layers=3,
        presence="there", age_seconds=7200.0, cached=1, steps=1,
    )  # fmt: skip
    assert facts(full) == [
        "1 of 1 step (100 %)",
        "3 layers, 2.0 KiB, all there",
        "newest result 2 h old",
        "registry, linux/amd64, image index, gzip and zstd",
    ]
    assert age(verdict()) == ""


def test_the_worst_comes_first() -> None:
    made = [
        verdict("CACHED", cached=1, steps=1, spec="all"),
        verdict("PARTLY CACHED", cached=2, steps=3, spec="more"),
        verdict("PARTLY CACHED", cached=1, steps=3, spec="less"),
        verdict("UNREADABLE", spec="unreadable"),
        verdict("COLD", spec="cold"),
        verdict("BREAKS THE BUILD", spec="breaks"),
    ]
    found = Verdicts(made).worst_first()
    assert [one.spec for one in found] == ["breaks", "cold", "unreadable", "less", "more", "all"]
    assert found.counts() == {**dict.fromkeys(WORDS, 1), "PARTLY CACHED": 2}
    assert isinstance(found[:2], Verdicts)
    assert len(found[:2]) == 2


def test_severity_is_the_worst_causes() -> None:
    causes = tuple(Cause(kind=s, code=None, severity=s, what="W.") for s in ("note", "warning"))
    assert verdict(causes=causes).severity == "warning"
    assert verdict().severity is None


def test_the_library_gives_a_frame_and_a_text(layouts: Path) -> None:
    graph = cg.load([layouts / "web-oci", layouts / "web-max"])
    found = graph.verdict()
    text = repr(found)
    assert text.startswith("<Verdicts: 2 exports>\ntype=local,src=")
    assert "PARTLY CACHED  7 of 13 steps (54 %)" in text
    assert "\n  warning 6 steps keep no result: an inline cache holds only the layers of the final image." in text
    frame = found.to_frame()
    assert frame["word"].tolist() == ["PARTLY CACHED", "CACHED"]
    assert frame["share"].round(2).tolist() == [0.54, 1.0]
    assert frame["export"].tolist() == [one.id for one in graph.graphs]
    assert str(frame["newest_at"].dtype) == "datetime64[ns, UTC]"
    assert frame.loc[0, "causes"] == ("inline", "shadowed-keys")
    assert repr(found[0]).endswith(": PARTLY CACHED, 7 of 13 steps>")


@pytest.mark.parametrize(
    ("spec", "error", "word", "cost"),
    [
        ("type=local,src=x", NotFoundError("x: there is no such directory"), "COLD", "A build goes on without"),
        ("app:latest", NoCacheError("app:latest: the image has no inline cache"), "COLD", "A build goes on without"),
        (
            "./x",
            NotFoundError("x: there is no such file or directory", buildkit="skip"),
            "COLD",
            "A build goes on without",
        ),
        ("x.json", NotFoundError("x.json: there is no such file"), "UNREADABLE", ""),
        (
            "app:latest",
            AccessError("app:latest: r.io refused the connection", buildkit="skip"),
            "UNREADABLE",
            "A builder that cannot read it either goes on without it, and every step runs.",
        ),
        ("app:latest", AccessError("app:latest: refused", hint="log in"), "UNREADABLE", "cannot be told"),
        ("type=daemon,db=x", DecodeError("x: no valid meta page"), "UNREADABLE", ""),
        ("type=nope", SpecError("type=nope: no such type"), "UNREADABLE", "cannot be told"),
        ("type=nope", SpecError("type=nope: BuildKit knows none", buildkit="skip"), "COLD", "every step runs"),
        (
            "type=local,src=x,tag=",
            SpecError("tag is empty", buildkit="fail"),
            "BREAKS THE BUILD",
            "A build with it fails",
        ),
    ],
)
def test_a_source_that_cannot_be_read(spec: str, error: Exception, word: Word, cost: str) -> None:
    assert isinstance(error, (NotFoundError, AccessError, DecodeError, SpecError))
    found = failed_verdict(spec, error)
    (cause,) = found.causes
    assert (found.word, found.export, cause.severity) == (word, None, "error")
    assert cost in cause.cost
    assert bool(cost) == bool(cause.cost)
    assert not cause.what.startswith(spec)
    assert headline(found) == word
