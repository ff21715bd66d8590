"""Severities of a project: ``cachegraph.toml``, or ``[tool.cachegraph]`` in ``pyproject.toml``.

::

    [[rules]]                        # in pyproject.toml: [[tool.cachegraph.rules]]
    code = "CG104"                   # or the rule's name
    severity = "ignore"              # error, warning, note or ignore
    where = "*vendor*"               # only where the source or file matches; without it, everywhere
    reason = "the vendor's image; asked for a fix"
    expires = 2026-12-31             # from the next day on the finding counts again

Of several rules that fit a finding, the first counts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, get_args

from cachegraph.errors import UsageError
from cachegraph.loaders.limits import DEFAULT, Limits
from cachegraph.loaders.paths import read_file
from cachegraph.text.nearest import did_you_mean
from cachegraph.text.rules import CODES, Severity

__all__ = ["FILE", "Setting", "find_settings", "read_settings", "rule_code"]

FILE = "cachegraph.toml"
_PROJECT = "pyproject.toml"

Told = Severity | Literal["ignore"]
_TOLD = (*get_args(Severity), "ignore")
_KEYS = ("code", "severity", "where", "reason", "expires")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a project says of the findings of one rule.

    Attributes
    ----------
    code : str
    severity : {"error", "warning", "note", "ignore"}
    origin : str
        Where it is said, to print: ``cachegraph.toml: rules[0]``.
    where : str or None
        Pattern with ``*`` and ``?`` for the source or file; None for all.
    reason : str or None
    expires : datetime.date or None
        The last day on which it counts.
    """

    code: str
    severity: Told
    origin: str
    where: str | None = None
    reason: str | None = None
    expires: date | None = None

    def fits(self, code: str, where: str) -> bool:
        """Tell whether it is about a finding."""
        return self.code == code and (self.where is None or fnmatchcase(where, self.where))

    def expired(self, today: date) -> bool:
        """Tell whether it counts no longer."""
        return self.expires is not None and today > self.expires


def find_settings(folder: Path) -> Path | None:
    """Find the settings of the project that a folder belongs to.

    Parameters
    ----------
    folder : pathlib.Path

    Returns
    -------
    pathlib.Path or None
        ``cachegraph.toml``, or a ``pyproject.toml`` that names cachegraph, of the nearest folder from this one upwards;
        the search ends with the folder that holds ``.git``.
    """
    for one in (folder, *folder.parents):
        if (one / FILE).is_file():
            return one / FILE
        project = one / _PROJECT
        if project.is_file() and _names_us(project):
            return project
        if (one / ".git").exists():
            break
    return None


def _names_us(project: Path) -> bool:
    try:
        with project.open("rb") as file:
            return (
                re.search(rb"^\s*\[+\s*tool\s*\.\s*\"?cachegraph", file.read(DEFAULT.settings_bytes), re.M) is not None
            )
    except OSError:
        return False


def read_settings(path: Path, limits: Limits = DEFAULT) -> tuple[Setting, ...]:
    """Read the settings of a file.

    Parameters
    ----------
    path : pathlib.Path
        ``pyproject.toml``, or any other TOML file with the settings at its top.
    limits : Limits

    Raises
    ------
    cachegraph.errors.UsageError
        Not TOML, or a key or value that there is not.
    cachegraph.errors.SourceError
        The file cannot be read.
    """
    import tomllib

    shown = os.path.relpath(path)
    data = read_file(path, shown, limit=limits.settings_bytes, name="settings_bytes", hint="check --config")
    try:
        document = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{shown}: not TOML: {error}", hint="mend the file") from None
    if path.name == _PROJECT:
        tool = document.get("tool")
        document = tool.get("cachegraph", {}) if isinstance(tool, dict) else {}
        shown = f"{shown}: tool.cachegraph"
    if not isinstance(document, dict):
        raise UsageError(f"{shown}: not a table", hint="write [[tool.cachegraph.rules]]")
    _only(document, ("rules",), shown)
    rules = document.get("rules", [])
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise UsageError(f"{shown}: rules is not a list of tables", hint="write [[rules]] above each")
    return tuple(_setting(rule, f"{shown}: rules[{number}]") for number, rule in enumerate(rules))


def _setting(rule: Mapping[str, Any], origin: str) -> Setting:
    _only(rule, _KEYS, origin)
    for key in ("code", "severity"):
        if key not in rule:
            raise UsageError(f"{origin}: no {key}", hint=f'write {key} = "..."')
    for key in ("code", "severity", "where", "reason"):
        if not isinstance(rule.get(key, ""), str):
            raise UsageError(f"{origin}: {key} is not a text", hint="put it in quotes")
    severity = rule["severity"]
    if severity not in _TOLD:
        raise UsageError(
            f"{origin}: there is no severity {severity!r}", hint=did_you_mean(severity, _TOLD, "severities")
        )
    if severity == "ignore" and not rule.get("reason", "").strip():
        raise UsageError(f"{origin}: {rule['code']} is ignored without a reason", hint='write reason = "why"')
    return Setting(
        code=rule_code(rule["code"], origin),
        severity=severity,
        origin=origin,
        where=rule.get("where"),
        reason=rule.get("reason"),
        expires=_date(rule.get("expires"), origin),
    )


def _only(table: Mapping[str, Any], known: tuple[str, ...], origin: str) -> None:
    for key in table:
        if key not in known:
            raise UsageError(f"{origin}: there is no key {key!r}", hint=did_you_mean(key, known, "keys"))


def _date(value: object, origin: str) -> date | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise UsageError(f"{origin}: {value!r} is not a date", hint="write expires = 2026-12-31") from None


def rule_code(text: str, origin: str = "--ignore") -> str:
    """Give the code of a rule that is named by its code or its name.

    Parameters
    ----------
    text : str
    origin : str
        Who names it, for the error.

    Raises
    ------
    cachegraph.errors.UsageError
        No such rule.
    """
    if text.upper() in CODES.values():
        return text.upper()
    if text in CODES:
        return CODES[text]
    known = (*CODES, *CODES.values())
    raise UsageError(f"{origin}: there is no rule {text!r}", hint=did_you_mean(text, known, "rules"))
