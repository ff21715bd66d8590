"""Matrices of workflows: their combinations, as GitHub makes them.

Source: GitHub's documentation, "Running variations of jobs in a workflow" (``include``, ``exclude``).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping

from cachegraph.lint.documents import Tree
from cachegraph.lint.holes import as_text, has_hole
from cachegraph.lint.model import Combination

__all__ = ["MOST_COMBINATIONS", "Row", "combinations_of", "flat", "plain"]

MOST_COMBINATIONS = 256  # what GitHub allows of a job
_DEEPEST = 8

Row = dict[str, object]
"""The values of a combination; a nested one is a dict or a list."""


def plain(tree: Tree, fill: Callable[[str], object], depth: int = 0) -> object:
    """Make Python's values of a node; expressions of single values are worked out with ``fill``."""
    if depth > _DEEPEST or not tree:
        return None
    if tree.is_mapping:
        return {name: plain(inner, fill, depth + 1) for name, inner in tree.items()}
    if tree.is_list:
        return [plain(inner, fill, depth + 1) for inner in tree.elements()]
    text = tree.text
    if "${{" in text:
        return fill(text)
    match tree.tag.rpartition(":")[2]:
        case "null":
            return None
        case "bool" if text.lower() in ("true", "false"):
            return text.lower() == "true"
        case "int" | "float":
            try:
                return float(text)
            except ValueError:
                return text
    return text


def combinations_of(matrix: Tree, fill: Callable[[str], object]) -> tuple[list[Row], bool]:
    """Give the combinations of ``strategy.matrix``, and whether these are all and complete.

    Parameters
    ----------
    matrix : Tree
    fill : callable
        Works out an expression that is a whole value.

    Returns
    -------
    tuple of list of dict and bool
        At least one; if it is not complete, what a row lacks is known only in a run.
    """
    if not matrix:
        return [{}], True
    given = plain(matrix, fill)
    if not isinstance(given, Mapping):
        return [{}], False
    dimensions = {
        str(name): values
        for name, values in given.items()
        if name not in ("include", "exclude") and isinstance(values, list) and not any(map(has_hole, values))
    }
    known = all(
        values is None or name in dimensions or (name in ("include", "exclude") and isinstance(values, list))
        for name, values in given.items()
    )
    included = _rows(given.get("include"))
    size = math.prod(map(len, dimensions.values()))
    if size > MOST_COMBINATIONS or len(included) > MOST_COMBINATIONS:
        return [{}], False
    rows: list[Row] = []
    if dimensions:
        made = (dict(zip(dimensions, values, strict=True)) for values in itertools.product(*dimensions.values()))
        excluded = _rows(given.get("exclude"))
        rows = [row for row in made if not any(_fits(one, row) for one in excluded)]
    _include(rows, included)
    return rows[:MOST_COMBINATIONS] or [{}], known


def _include(rows: list[Row], included: list[Row]) -> None:
    """Add to each combination whose own values they leave alone; what fits none is one of its own."""
    originals = [dict(row) for row in rows]
    for one in included:
        used = False
        for row, original in zip(rows, originals, strict=False):
            if all(name not in original or original[name] == value for name, value in one.items()):
                row.update(one)
                used = True
        if not used:
            rows.append(dict(one))


def _rows(given: object) -> list[Row]:
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _fits(pattern: Row, row: Row) -> bool:
    return bool(pattern) and all(row.get(name) == value for name, value in pattern.items())


def flat(row: Row, *, is_known: bool) -> Combination:
    """Make the combination of a row, nested values by their paths."""
    values: dict[str, str] = {}

    def put(name: str, value: object, depth: int) -> None:
        if isinstance(value, dict) and depth < _DEEPEST:
            for key, inner in value.items():
                put(f"{name}.{key}", inner, depth + 1)
        elif isinstance(value, list):
            values[name] = ",".join(as_text(one) for one in value)
        elif not has_hole(value):
            values[name] = as_text(value)

    for name, value in row.items():
        put(name, value, 0)
    return Combination(values=values, is_known=is_known)
