"""A baseline: the findings that were there when somebody drew the line, so that only new ones fail.

A JSON file for the repository, a line or two for each finding, sorted: changes to it can be reviewed::

    {"version": 1, "findings": [
      {"code": "CG103", "count": 1, "fingerprint": "eaf91b4c7e6e6c2d", "message": "...", "severity": "warning",
       "source": "type=local,src=cache"}]}

A finding is known while its fingerprint is there often enough, and it is not more severe than it was.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cachegraph.errors import DecodeError, NotFoundError
from cachegraph.loaders.limits import DEFAULT, Limits
from cachegraph.loaders.paths import read_file
from cachegraph.text.clean import json_text
from cachegraph.text.rules import SEVERITIES, Severity

__all__ = ["Baseline", "KnownFinding", "baseline_text", "read_baseline"]

_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFinding:
    """A finding as a baseline keeps it.

    Attributes
    ----------
    fingerprint : str
    code : str
    severity : {"error", "warning", "note"}
    source : str
        What it is about, without what changes from export to export.
    message : str
        For who reads the file; nothing depends on it.
    """

    fingerprint: str
    code: str
    severity: Severity
    source: str
    message: str = ""


class Baseline:
    """Findings that fail nothing, each as often as it was there.

    Parameters
    ----------
    name : str
        The file, to print.
    findings : iterable of KnownFinding
        One for each time.
    """

    def __init__(self, name: str, findings: Iterable[KnownFinding]) -> None:
        self.name = name
        self._left: Counter[str] = Counter()
        self._worst: dict[str, int] = {}
        self._sources: dict[str, str] = {}
        for finding in findings:
            self._left[finding.fingerprint] += 1
            rank = SEVERITIES.index(finding.severity)
            self._worst[finding.fingerprint] = min(rank, self._worst.get(finding.fingerprint, rank))
            self._sources[finding.fingerprint] = finding.source

    def takes(self, fingerprint: str, severity: Severity) -> bool:
        """Tell whether a finding is known; each entry of the file is for one finding."""
        if not self._left[fingerprint] or SEVERITIES.index(severity) < self._worst[fingerprint]:
            return False
        self._left[fingerprint] -= 1
        return True

    def gone(self, sources: Collection[str]) -> int:
        """Count the entries about some sources that no finding took."""
        return sum(count for one, count in self._left.items() if count and self._sources[one] in sources)


def read_baseline(path: Path, limits: Limits = DEFAULT) -> Baseline:
    """Read a baseline.

    Parameters
    ----------
    path : pathlib.Path
    limits : Limits

    Raises
    ------
    cachegraph.errors.SourceError
        No such file, or no baseline.
    """
    shown = os.fspath(path)
    if not path.exists():
        raise NotFoundError(f"{shown}: there is no such baseline", hint="--write-baseline makes it")
    data = read_file(path, shown, limit=limits.file_bytes, name="file_bytes", hint="check --baseline")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise DecodeError(f"{shown}: not JSON", hint="write it again with --write-baseline") from None
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise DecodeError(f"{shown}: not a baseline of version {_VERSION}", hint="write it with --write-baseline")
    listed = document.get("findings")
    if not isinstance(listed, list):
        raise DecodeError("not a list", path=f"{shown}: findings", hint="write it again with --write-baseline")
    found: list[KnownFinding] = []
    for number, one in enumerate(listed):
        found += _known(one, f"{shown}: findings[{number}]")
    return Baseline(shown, found)


def _known(one: Any, path: str) -> list[KnownFinding]:  # noqa: ANN401 - whatever the JSON holds
    if not isinstance(one, dict) or not isinstance(one.get("fingerprint"), str):
        raise DecodeError("no fingerprint", path=path, hint="write it again with --write-baseline")
    severity, count = one.get("severity"), one.get("count", 1)
    if severity not in SEVERITIES:
        raise DecodeError(f"severity {severity!r} is none of {', '.join(SEVERITIES)}", path=path)
    if not isinstance(count, int) or not 0 < count <= 1_000_000:
        raise DecodeError(f"count {count!r} is not a number from 1 on", path=path)
    finding = KnownFinding(
        fingerprint=one["fingerprint"],
        code=str(one.get("code", "")),
        severity=severity,
        source=str(one.get("source", "")),
    )
    return [finding] * count


def baseline_text(findings: Iterable[KnownFinding]) -> str:
    """Write a baseline.

    Parameters
    ----------
    findings : iterable of KnownFinding

    Returns
    -------
    str
        JSON, sorted by source, code and fingerprint.
    """
    groups: dict[str, list[KnownFinding]] = {}
    for finding in findings:
        groups.setdefault(finding.fingerprint, []).append(finding)
    listed = [
        {
            "code": group[0].code,
            "count": len(group),
            "fingerprint": group[0].fingerprint,
            "message": group[0].message,
            "severity": min((one.severity for one in group), key=SEVERITIES.index),
            "source": group[0].source,
        }
        for group in groups.values()
    ]
    listed.sort(key=lambda one: (one["source"], one["code"], one["fingerprint"]))
    return json_text({"version": _VERSION, "findings": listed})
