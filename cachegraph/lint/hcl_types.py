"""Texts, numbers and conditions of bake files: what HCL takes for one, and how it is written.

Source: ``zclconf/go-cty``, ``cty/convert``; buildx ``bake/hclparser/hclparser.go`` (``resolveValue``).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping

__all__ = ["UnresolvedError", "arithmetic", "as_type_of", "is_true", "number", "number_text"]


class UnresolvedError(Exception):
    """A text depends on what only the build knows; the message says on what, and quotes no more of it than a name."""


def number_text(value: object) -> str:
    """Write a value as HCL's templates do."""
    if value is None:
        raise UnresolvedError("a null stands where text belongs")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        whole = math.isfinite(value) and value == int(value) and abs(value) < 1e15
        return str(int(value)) if whole else repr(value)
    if isinstance(value, str):
        return value
    raise UnresolvedError("a list or an object stands where text belongs")


def is_true(value: object) -> bool:
    """Read a condition."""
    if isinstance(value, str) and value in ("true", "false", "1", "0"):
        return value in ("true", "1")
    if not isinstance(value, bool):
        raise UnresolvedError("a condition is neither true nor false")
    return value


def number(value: object) -> float:
    """Read a number."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise UnresolvedError("a number is asked for") from None


_OPERATORS: Mapping[str, Callable[[float, float], object]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def arithmetic(sign: str, one: float, other: float) -> object:
    """Calculate, or compare."""
    try:
        return _OPERATORS[sign](one, other)
    except (ArithmeticError, ValueError):
        raise UnresolvedError("a number is divided by nothing") from None


def as_type_of(default: object, text: str) -> object:
    """Read a variable of the environment as the type of its default."""
    if isinstance(default, bool) and text.lower() in ("1", "t", "true", "0", "f", "false"):
        return text.lower() in ("1", "t", "true")
    if isinstance(default, float) and len(text) < 40:
        try:
            return float(text)
        except ValueError:
            return text
    if isinstance(default, list):
        return text.split(",") if text else []
    return text
