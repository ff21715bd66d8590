"""Variables in compose files, and in other files that fill them in as compose does.

Source: the Compose specification, "Interpolation"; ``compose-go/template``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from cachegraph.lint.budget import ExpansionBudget
from cachegraph.lint.holes import Holes

__all__ = ["Find", "dotenv", "interpolated"]

Find = Callable[[str], str | None]
"""Gives a variable, with holes; None if it is not set."""

_NAME = re.compile(r"[A-Za-z_]\w*")
_OPERATOR = re.compile(r":?[-?+]")
_BRACE = re.compile(r"\$\{|[{}]")
_ENV_LINE = re.compile(r"^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*[=:][ \t]*(.*)$")
_DEEPEST = 8
_UNSET = "variable {} is not set"


def interpolated(
    text: str, find: Find, holes: Holes, budget: ExpansionBudget, *, unset: str = _UNSET, depth: int = 0
) -> str:
    """Replace ``$NAME``, ``${NAME}``, ``${NAME:-default}``, ``${NAME:?error}``, ``${NAME:+other}`` and ``$$``.

    Parameters
    ----------
    text : str
    find : Find
    holes : Holes
    budget : ExpansionBudget
    unset : str
        Why a variable is not known.

    Returns
    -------
    str
        With a hole for each variable that has no value.
    """
    if "$" not in text:
        return text
    parts: list[str] = []
    end = 0
    while (start := text.find("$", end)) >= 0:
        parts.append(text[end:start])
        following = text[start + 1 : start + 2]
        if following == "$":
            parts.append("$")
            end = start + 2
        elif name := _NAME.match(text, start + 1):
            parts.append(_plain(name[0], find, holes, budget, unset))
            end = name.end()
        elif following == "{":
            close = _close(text, start + 1)
            parts.append(_braced(text[start + 2 : close], find, holes, budget, unset, depth))
            end = close + 1
        else:
            parts.append("$")
            end = start + 1
    parts.append(text[end:])
    return budget.spent("".join(parts))


def _close(text: str, start: int) -> int:
    depth = 0
    for found in _BRACE.finditer(text, start):
        if found[0] != "}":
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                return found.start()
    return len(text)


def _plain(name: str, find: Find, holes: Holes, budget: ExpansionBudget, unset: str) -> str:
    known = find(name)
    return holes.hole(name, unset.format(name), name) if known is None else budget.spent(known)


def _braced(inner: str, find: Find, holes: Holes, budget: ExpansionBudget, unset: str, depth: int) -> str:
    name = _NAME.match(inner)
    rest = inner[name.end() :] if name else inner
    operator = _OPERATOR.match(rest)
    if name is None or (rest and operator is None):
        return holes.hole(name[0] if name else "?", "a variable is used in a form that is not read here", inner)
    if operator is None:
        return _plain(name[0], find, holes, budget, unset)
    known = find(name[0])
    sign = operator[0]
    word = rest[operator.end() :]
    given = known is not None and (known != "" or not sign.startswith(":"))

    def other() -> str:
        if depth > _DEEPEST:
            return holes.hole(name[0], "variables stand too deep in one another", inner)
        return interpolated(word, find, holes, budget, unset=unset, depth=depth + 1)

    if sign.endswith("+"):
        return other() if given else ""
    if known is not None and given:
        return budget.spent(known)
    return other() if sign.endswith("-") else holes.hole(name[0], unset.format(name[0]), name[0])


def dotenv(text: str) -> Mapping[str, str]:
    """Read a ``.env``: NAME=VALUE lines, comments, quotes; values are not expanded."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        setting = _ENV_LINE.match(line)
        if setting is None or line.lstrip().startswith("#"):
            continue
        value = setting[2].strip()
        if value[:1] in ("'", '"') and value.find(value[0], 1) > 0:
            value = value[1 : value.find(value[0], 1)]
        else:
            value = re.split(r"[ \t]#", value, maxsplit=1)[0].rstrip()
        found[setting[1]] = value
    return found
