"""GitHub's expressions, as far as a file tells what they are.

::

    ${{ github.event_name != 'pull_request' && 'type=gha,mode=max' || '' }}

is one of two texts, each with its condition. What a run alone knows stays a hole with its name.
Source: GitHub's documentation, "Evaluate expressions in workflows and actions".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from cachegraph.errors import DecodeError
from cachegraph.lint.budget import ExpansionBudget
from cachegraph.lint.expression_syntax import LONGEST, Node, parse_expression
from cachegraph.lint.expression_values import as_number, child, formatted, from_json, ordered, to_json
from cachegraph.lint.holes import Alternative, Holes, as_text, has_hole
from cachegraph.lint.values import Condition, Place

__all__ = ["Expressions", "Lookup"]

Lookup = Callable[[tuple[str, ...]], object]
"""Gives what a name such as ``("github", "ref")`` stands for, with holes; None for null."""

_OWN_TEXT = 16
_PER_RUN = frozenset({"success", "failure", "cancelled", "hashfiles"})


class Expressions:
    """Works expressions out where they stand.

    Parameters
    ----------
    holes : Holes
    budget : ExpansionBudget
    lookup : Lookup
    events : sequence of str
        Those of the workflow: what a condition is tried with.
    given : callable
        Gives the lookup of one event, and of a branch that the condition does not name, to try conditions with.
    key : object
        Equal where the ``github`` context is.
    """

    def __init__(
        self,
        holes: Holes,
        budget: ExpansionBudget,
        lookup: Lookup,
        events: Sequence[str] = (),
        given: Callable[[str, str | None], Lookup] | None = None,
        key: object = None,
    ) -> None:
        self.holes = holes
        self._budget = budget
        self._lookup = lookup
        self._events = tuple(events)
        self._key = key
        self._given = given

    def fill(self, text: str) -> str:
        """Replace the expressions of a text.

        What is between the braces is cut out by searching, not matched: a pattern for it takes time that grows with
        the cube of the blanks behind an opening without an end.
        """
        if "${{" not in text:
            return text
        # Each value has been counted; the text around them is the file's own, which an anchor may bring often.
        self._budget.count(len(text) // _OWN_TEXT)
        return "".join(piece for piece, _ in self.pieces(text))

    def pieces(self, text: str) -> list[tuple[str, int]]:
        """Take a text apart at its expressions; with each piece, how many lines of the source it stands for."""
        pieces: list[tuple[str, int]] = []
        end = 0
        while (start := text.find("${{", end)) >= 0 and (close := self._close(text, start)) >= 0:
            source = text[start + 3 : close]
            pieces.append((text[end:start], text.count("\n", end, start)))
            pieces.append((self._budget.spent(as_text(self.evaluate(source.strip()))), source.count("\n")))
            end = close + 2
        pieces.append((text[end:], text.count("\n", end)))
        return pieces

    @staticmethod
    def _close(text: str, start: int) -> int:
        """Find the end of an expression; braces within quotes do not end it."""
        close = text.find("}}", start)
        while close >= 0 and close - start < LONGEST and text.count("'", start, close) % 2:
            close = text.find("}}", close + 2)
        return close

    def evaluate(self, source: str) -> object:
        """Work out an expression: a text with holes, a number, true, false, None, a list or a dict."""
        node = parse_expression(source)
        if node is None:
            return self.holes.hole(Node("", source=source).shown, "it is an expression that is not read here", source)
        return self._value(node)

    def condition(self, source: str, place: Place | None = None) -> Condition:
        """Read a condition: of ``if:``, with or without ``${{ }}``."""
        source = source.strip()
        if source.startswith("${{") and source.find("}}") == len(source) - 2:
            source = source[3:-2].strip()
        if "${{" in source:  # text around expressions is true, whatever they say
            return Condition(text=" ".join(source.split()), place=place)
        node = parse_expression(source)
        text = " ".join(source.split())
        return Condition(text=text, place=place) if node is None else self._condition(node, place=place)

    def truth(self, source: str) -> bool | None:
        """Say whether a condition holds; None if that is not known."""
        source = source.strip().removeprefix("${{").removesuffix("}}").strip()
        node = parse_expression(source)
        return None if node is None else self._truth(self._value(node))

    def _condition(self, node: Node, *, negated: bool = False, place: Place | None = None) -> Condition:
        """Make a condition of an expression; one of the ``github`` context alone is worked out once."""
        if not node.is_of_github:
            return self._tried(node, negated=negated, place=place)
        key = (node.source, negated, self._events, self._key)
        known = self.holes.conditions.get(key)
        if known is None:
            known = self.holes.conditions[key] = self._tried(node, negated=negated, place=None)
        return known if place is None else replace(known, place=place)

    def _tried(self, node: Node, *, negated: bool, place: Place | None) -> Condition:
        """Try a condition in each event, and on a branch that it does not name."""
        text = f"!({node.source})" if negated else node.source
        never: set[str] = set()
        branch = False
        if self._given is not None:
            fails = negated

            def answer(event: str, ref: str | None) -> bool | None:
                assert self._given is not None
                tried = Expressions(self.holes, self._budget, self._given(event, ref))
                return tried._truth(tried._value(node))

            never = {event for event in self._events if answer(event, None) is fails}
            branch = (
                answer("push", "refs/heads/\0other") is fails
                and answer("push", "refs/tags/\0other") is fails
                and answer("push", "") is not fails
            )
        return Condition(text=text, place=place, never=frozenset(never), default_branch_only=branch)

    def _truth(self, value: object) -> bool | None:
        if isinstance(value, str) and value and has_hole(value):
            choices = self.holes.choices(value)
            if choices:
                truths = {self._truth(one) for one, _ in choices}
                return truths.pop() if len(truths) == 1 else None
            return True if len(value) > sum(has_hole(letter) for letter in value) else None
        if isinstance(value, float):
            return value == value and value != 0
        return bool(value) or isinstance(value, list | dict)

    def _alternatives(self, value: object) -> Sequence[Alternative]:
        return self.holes.choices(value) or ((value, None),)

    def _value(self, node: Node) -> object:
        match node.kind:
            case "literal":
                return node.value
            case "name" | "index":
                return self._named(node)
            case "call":
                return self._call(node)
            case "not":
                truth = self._truth(self._value(node.parts[0]))
                return self._either(node) if truth is None else not truth
            case "compare":
                answer = self._compared(str(node.value), *(self._value(part) for part in node.parts))
                return self._either(node) if answer is None else answer
        value = self._value(node.parts[0])
        left = node.parts[0]
        for right in node.parts[1:]:
            value = self._joined(node.kind, node, left, value, right)
            left = Node(
                node.kind, None, (left, right), f"{left.source} {'&&' if node.kind == 'and' else '||'} {right.source}"
            )
        return value

    def _joined(self, kind: str, node: Node, left: Node, value: object, right: Node) -> object:
        stops = kind == "or"  # `||` ends at what is true, `&&` at what is false
        found: list[Alternative] = []
        for one, when in self._alternatives(value):
            truth = self._truth(one)
            if truth is stops:
                found.append((one, when))
                continue
            if truth is None:
                found.append((one if stops else "", self._condition(left, negated=not stops)))
                when = self._condition(left, negated=stops)
            for other, and_when in self._alternatives(self._value(right)):
                found.append((other, _both(when, and_when)))
        if len({(type(one), repr(one)) for one, _ in found}) == 1:
            return found[0][0]
        return self.holes.hole(node.shown, _only_in_a_run(node.shown), node.source, _merged(found))

    def _either(self, node: Node) -> str:
        """Make the hole of a condition: true when it holds, false when it does not."""
        choices = ((True, self._condition(node)), (False, self._condition(node, negated=True)))
        return self.holes.hole(node.shown, _only_in_a_run(node.shown), node.source, choices)

    def _named(self, node: Node) -> object:
        path: list[str] = []
        at = node
        while at.kind == "index":
            index = self._value(at.parts[1])
            if has_hole(index) or not isinstance(index, str | float):
                return self.holes.hole(node.shown, _only_in_a_run(node.shown), node.source)
            path.insert(0, as_text(index))
            at = at.parts[0]
        if at.kind == "name":
            return self._lookup((str(at.value).lower(), *path))
        value = self._value(at)
        for key in path:
            value = child(value, key)
        return self.holes.hole(node.shown, _only_in_a_run(node.shown), node.source) if has_hole(value) else value

    def _compared(self, sign: str, left: object, right: object) -> bool | None:
        if has_hole(left) or has_hole(right):
            lefts, rights = self._alternatives(left), self._alternatives(right)
            if len(lefts) * len(rights) > 1:
                answers = {self._compared(sign, a, b) for a, _ in lefts for b, _ in rights}
                return answers.pop() if len(answers) == 1 else None
            if sign in ("==", "!=") and isinstance(left, str) and isinstance(right, str):
                if left == right:
                    return sign == "=="
                one, other = (self.holes.value(side.lower(), _NOWHERE) for side in (left, right))
                return None if one.may_equal(other) else sign == "!="
            return None
        if isinstance(left, str) and isinstance(right, str):
            left, right = left.lower(), right.lower()
        elif type(left) is not type(right) and not isinstance(left, list | dict) and not isinstance(right, list | dict):
            left, right = as_number(left), as_number(right)
        if sign in ("==", "!="):
            return (left == right) == (sign == "==")
        if isinstance(left, str) and isinstance(right, str):
            return ordered(sign, left, right)
        return ordered(sign, as_number(left), as_number(right))

    def _call(self, node: Node) -> object:
        name = str(node.value)
        if name == "always":
            return True
        arguments = [self._value(part) for part in node.parts]
        try:
            answer = None if name in _PER_RUN else self._function(name, arguments)
        except (DecodeError, ValueError, TypeError, IndexError, KeyError, RecursionError):
            answer = None
        if answer is None and name in ("contains", "startswith", "endswith"):
            return self._either(node)
        if answer is None:
            return self.holes.hole(f"{node.value}(..)", _only_in_a_run(f"{node.value}(..)"), node.source)
        return answer

    def _function(self, name: str, given: list[Any]) -> object:
        """Work out a function; None if it is not known."""
        match name:
            case "contains":
                return self._contains(given[0], given[1])
            case "startswith" | "endswith":
                text, piece = as_text(given[0]).lower(), as_text(given[1]).lower()
                if has_hole(piece):
                    return None
                whole = text if name == "startswith" else text[::-1]
                piece = piece if name == "startswith" else piece[::-1]
                if has_hole(whole[: len(piece)]):
                    known = re.split(r"[\U000F0000-\U0010FFFD]", whole)[0]
                    return None if piece.startswith(known) else False
                return whole.startswith(piece)
            case "format":
                return formatted(as_text(given[0]), [as_text(one) for one in given[1:]], self._budget)
            case "join":
                if has_hole(given[0]):
                    return None
                items = given[0] if isinstance(given[0], list) else [given[0]]
                separator = as_text(given[1]) if len(given) > 1 else ","
                return self._budget.spent(separator.join(as_text(one) for one in items))
            case "tojson":
                if has_hole(given[0]):
                    return None
                return self._budget.spent(to_json(given[0]))
            case "fromjson":
                if has_hole(given[0]) and len(given[0]) < 2:
                    return None
                return from_json(as_text(given[0]))
        return None

    def _contains(self, where: object, what: object) -> bool | None:
        if isinstance(where, list):
            answers = [self._compared("==", one, what) for one in where]
            return True if True in answers else None if None in answers else False
        text, piece = as_text(where).lower(), as_text(what).lower()
        if not has_hole(piece) and piece in text:
            return True
        return None if has_hole(text) or has_hole(piece) else False


_NOWHERE = Place(file="")


def _only_in_a_run(shown: str) -> str:
    return f"${{{{ {shown} }}}} is known only while the workflow runs"


def _both(one: Condition | None, other: Condition | None) -> Condition | None:
    if one is None or other is None:
        return one or other
    return Condition(
        text=f"{one.text} && {other.text}",
        never=one.never | other.never,
        default_branch_only=one.default_branch_only or other.default_branch_only,
    )


def _merged(found: Sequence[Alternative]) -> list[Alternative]:
    """Join equal choices: either condition may choose them."""
    merged: dict[tuple[type, str], Alternative] = {}
    for value, when in found:
        key = (type(value), repr(value))
        before = merged.get(key)
        if before is not None and before[1] is not None and when is not None:
            when = Condition(
                text=f"{before[1].text} || {when.text}",
                never=before[1].never & when.never,
                default_branch_only=before[1].default_branch_only and when.default_branch_only,
            )
        merged[key] = (value, when)
    return list(merged.values())
