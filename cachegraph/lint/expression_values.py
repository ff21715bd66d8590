"""Values of GitHub's expressions: members, numbers, order, JSON and ``format``.

Source: GitHub's documentation, "Evaluate expressions in workflows and actions".
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from cachegraph.core.untrusted import decode_loose
from cachegraph.lint.budget import ExpansionBudget
from cachegraph.lint.holes import has_hole

__all__ = ["as_number", "child", "formatted", "from_json", "ordered", "to_json"]


def child(value: object, key: str) -> object:
    """Go one step down; None where there is nothing."""
    if has_hole(value):
        return value
    if isinstance(value, dict):
        lowered = {str(name).lower(): inner for name, inner in value.items()}
        return lowered.get(key.lower())
    if isinstance(value, list) and key.isdigit() and len(key) < 8 and int(key) < len(value):
        return value[int(key)]
    return None


def as_number(value: object) -> float:
    """Read a number; not-a-number for what is none."""
    if value is None or value == "":
        return 0.0
    if isinstance(value, bool | int | float):
        return float(value)
    if isinstance(value, str) and len(value) < 400:
        try:
            return float(value)
        except ValueError:
            return float("nan")
    return float("nan")


def ordered(sign: str, left: Any, right: Any) -> bool:  # noqa: ANN401 - of any type
    """Compare by order."""
    return bool({"<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}[sign])


_FORMAT = re.compile(r"\{\{|\}\}|\{(\d{1,3})\}")


def formatted(template: str, given: Sequence[str], budget: ExpansionBudget) -> str:
    """Fill in ``{0}``; ``{{`` and ``}}`` are braces."""

    def fill(found: re.Match[str]) -> str:
        return budget.spent(given[int(found[1])]) if found[1] else found[0][0]

    return budget.spent(_FORMAT.sub(fill, template))


def to_json(value: object) -> str:
    """Write a value as ``toJSON`` does."""
    return json.dumps(_whole(value), ensure_ascii=False, indent=2)


def _whole(value: object) -> object:
    """Write 1 for 1.0, as JSON does where numbers are all of one kind."""
    if isinstance(value, dict):
        return {key: _whole(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def from_json(text: str) -> object:
    """Read a text as ``fromJSON`` does.

    Raises
    ------
    cachegraph.errors.DecodeError
    """
    return _floats(decode_loose(text, "no JSON"))


def _floats(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _floats(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_floats(inner) for inner in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 53 else value
