"""The pieces of a verdict in words: share, size, age, presence, and what fills the first line."""

from __future__ import annotations

import shlex

from cachegraph.text.durations import age_text
from cachegraph.text.words import plural, size_text
from cachegraph.verdict.model import Verdict

__all__ = ["age", "facts", "headline", "pasted", "presence", "share"]


def pasted(spec: str) -> str:
    """Write a spec as it can be pasted: a plain reference by itself, and quoted where a shell would split it.

    Parameters
    ----------
    spec : str

    Examples
    --------
    >>> pasted("type=registry,ref=registry.example.com/app:cache")
    'registry.example.com/app:cache'
    >>> pasted("type=local,src=/my cache,tag=latest")
    "'type=local,src=/my cache,tag=latest'"
    """
    start = "type=registry,ref="
    rest = spec.removeprefix(start)
    if spec.startswith(start) and not set(rest) & set(',="'):
        spec = rest
    return shlex.quote(spec)


def share(verdict: Verdict) -> str:
    """Say how many steps are cached: ``7 of 13 steps (54 %)``.

    Parameters
    ----------
    verdict : Verdict
    """
    if not verdict.steps:
        return "no steps"
    percent = round(100 * verdict.cached / verdict.steps)
    if 0 < verdict.cached < verdict.steps:  # neither nothing nor all
        percent = min(max(percent, 1), 99)
    return f"{verdict.cached:,} of {plural(verdict.steps, 'step')} ({percent} %)"


def presence(verdict: Verdict) -> str:
    """Say what is known of the blobs: ``all there``, ``not asked``, ``1 of 6 gone``; empty where there is no store.

    Parameters
    ----------
    verdict : Verdict
    """
    found = {
        "there": "all there",
        "lost": f"{verdict.lost_blobs:,} of {verdict.listed_blobs:,} gone",
        "not-asked": "not asked whether they are there",
        "partly-asked": f"{verdict.probed_blobs:,} of {verdict.listed_blobs:,} asked, and there",
        "no-store": "",
    }[verdict.presence]
    if verdict.damaged_blobs:
        damaged = f"{verdict.damaged_blobs:,} of {verdict.listed_blobs:,} damaged"
        return damaged if verdict.presence in ("there", "no-store") else f"{found}, {damaged}"
    return found


def age(verdict: Verdict) -> str:
    """Say how old the newest result is: ``newest result 2 h old``; empty where unknown.

    Parameters
    ----------
    verdict : Verdict
    """
    return "" if verdict.age_seconds is None else f"newest result {age_text(verdict.age_seconds)} old"


def facts(verdict: Verdict) -> list[str]:
    """Give what the first line says after the word, in order; what is unknown is left out.

    Parameters
    ----------
    verdict : Verdict
    """
    if verdict.export is None:
        return []
    size = size_text(verdict.bytes) if verdict.bytes else ""
    blobs = ", ".join(filter(None, [plural(verdict.layers, "layer"), size, presence(verdict)]))
    shape = {"manifest": "image manifest", "index": "image index", None: ""}[verdict.shape]
    if verdict.kind == "inline":
        shape = ""
    compressed = "" if verdict.compression in ((), ("none",)) else " and ".join(verdict.compression)
    kind = ", ".join(filter(None, [verdict.kind or "", verdict.platform or "", shape, compressed]))
    return list(filter(None, [share(verdict), blobs, age(verdict), kind]))


def headline(verdict: Verdict) -> str:
    """Say a verdict on one line: word, share, and what is known of the export.

    Parameters
    ----------
    verdict : Verdict
    """
    return "  ".join([verdict.word, *facts(verdict)])
