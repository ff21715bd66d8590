"""Variables of shell scripts: setting them, in branches too, and what stands in ``${ }``.

A variable that the script does not set is a hole with its name; one that it sets in a branch has each of its texts,
with the condition of the branch. Source: POSIX, "Shell Command Language"; Bash's manual for arrays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cachegraph.lint.budget import ExpansionBudget
from cachegraph.lint.holes import Holes, has_hole
from cachegraph.lint.shell_words import Piece, Reader, Word
from cachegraph.lint.values import Condition

__all__ = ["Branch", "ShellVariables"]

_NAME = re.compile(r"[A-Za-z_]\w*")
_PARAMETER = re.compile(r"([A-Za-z_]\w*|[@*#?0-9])(?:\[([@*])\])?(?:(:?[-=?+])([\s\S]*))?")
_DEEPEST = 4


@dataclass(slots=True)
class Branch:
    """An ``if`` or a loop that is open."""

    condition: Condition
    before: dict[str, Variable | None] = field(default_factory=dict)  # what it changes, as it was
    assigned: set[str] = field(default_factory=set)
    last: bool = False  # behind `else`


@dataclass(frozen=True, slots=True)
class Variable:
    """A text, or the words of an array."""

    words: tuple[Word, ...]
    is_array: bool = False

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join(word.text for word in self.words)


class ShellVariables:
    """The variables of scripts that are read one behind the other.

    Parameters
    ----------
    holes : Holes
    budget : ExpansionBudget
    env : mapping of str to str
        What is set outside, with holes.
    reason : str
        Why other variables are not known.
    """

    def __init__(self, holes: Holes, budget: ExpansionBudget, env: Mapping[str, str], reason: str) -> None:
        self._holes = holes
        self._budget = budget
        self._env = env
        self._reason = reason
        self._variables: dict[str, Variable] = {}
        self._exported: set[str] = set(env)

    def put(self, name: str, word: Word, branches: Sequence[Branch]) -> None:
        """Set one, whatever it was."""
        self._keep(name, branches)
        self._variables[name] = Variable((word,))

    def _keep(self, name: str, branches: Sequence[Branch]) -> None:
        """Let the branches that are open remember what a variable was in front of them."""
        for branch in branches:
            branch.before.setdefault(name, self._variables.get(name))

    def export(self, name: str) -> None:
        """Let commands see one."""
        self._exported.add(name)

    def exported(self, name: str) -> str | None:
        """Give one as commands see it; None if it is not set, or if the script keeps it to itself."""
        variable = self._get(name) if name in self._exported else None
        return None if variable is None else variable.text

    def assign(self, name: str, value: list[Piece], branches: Sequence[Branch], *, adds: bool, line: int) -> None:
        """Set one, or add to it, in the branches that are open."""
        array = value[0].words if len(value) == 1 and value[0].words is not None else None
        self._keep(name, branches)
        before = self._variables.get(name)
        if before is None and name in self._env:
            before = Variable((Word(self._env[name], 0),))
        if array is not None:
            conditions = tuple(branch.condition for branch in branches) if adds else ()
            added = tuple(Word(word.text, word.line or line, (*word.conditions, *conditions)) for word in array)
            kept = before.words if before is not None and adds and before.is_array else ()
            self._budget.count(sum(len(word.text) + 8 for word in (*kept, *added)))
            self._variables[name] = Variable((*kept, *added), is_array=True)
            return
        text = self.joined(value)
        if adds:
            text = self._budget.spent((before.text if before else "") + text)
        new = Variable((Word(text, line),))
        if branches and not adds:
            branch = branches[-1]
            replaces = branch.last and name in branch.assigned  # both branches set it: nothing is left from before
            base = branch.before.get(name)
            old = before.text if before else ""
            choices: list[tuple[object, Condition | None]] = []
            known = self._holes.choices(old)
            earlier = list(known) if known else [(old, Condition(text=f"!({branch.condition.text})"))]
            for one, when in earlier:
                if not (replaces and one == (base.text if base else "")):
                    choices.append((one, when))
            choices.append((text, branch.condition))
            if len({repr(one) for one, _ in choices}) > 1:
                char = self._holes.hole(name, f"a branch of the script sets {name}", f"{name} at {line}", choices)
                new = Variable((Word(char, line),))
            branch.assigned.add(name)
        self._variables[name] = new

    def _get(self, name: str) -> Variable | None:
        """Give a variable that the script or what is around it sets."""
        if name in self._variables:
            return self._variables[name]
        return Variable((Word(self._env[name], 0),)) if name in self._env else None

    def parameter(self, inner: str, quoted: bool, depth: int = 0) -> Piece:
        """Work out what stands in ``${ }``."""
        found = _PARAMETER.fullmatch(inner)
        if found is None:
            named = _NAME.search(inner)
            name = named[0] if named else "?"
            variable = self._get(name)
            if variable is not None and not has_hole(variable.text) and (text := _changed(inner, name, variable.text)):
                return Piece(self._budget.spent(text), quoted)
            return Piece(self._holes.hole(name, f"${{{name}..}} is worked out only by the shell", inner), quoted)
        name, every, operator, word = found[1], found[2], found[3] or "", found[4] or ""
        variable = self._get(name)
        if every or (variable is not None and variable.is_array and name not in "@*"):
            if variable is not None:
                if operator.endswith("+") and word.strip('"').startswith("${") and not variable.words:
                    return Piece("", quoted, words=())
                self._budget.count(sum(len(word.text) + 8 for word in variable.words))
                return Piece(quoted=True, words=variable.words)
            if operator.endswith(("-", "+")):
                return Piece("", quoted, words=())
        given = variable is not None and (variable.text != "" or not operator.startswith(":"))
        if operator.endswith("+"):
            if variable is not None and not has_hole(variable.text):
                return Piece(self._word(word, depth) if given else "", quoted)
            said = f"${name} is set"
            choices = [(self._word(word, depth), Condition(text=said)), ("", Condition(text=f"!({said})"))]
            return Piece(self._holes.hole(name, self._reason.format(name), f"{name}+", choices), quoted)
        if variable is not None and given:
            line = variable.words[0].line if variable.words else 0
            return Piece(self._budget.spent(variable.text), quoted, line)
        if operator.endswith(("-", "=")) and name not in self._env:
            # Whoever calls the script may set it: the default is one of its texts, and the one that is written down.
            return Piece(self._word(word, depth), quoted)
        return Piece(self._holes.hole(name, self._reason.format(name), name), quoted)

    def _word(self, text: str, depth: int) -> str:
        """Work out the word of ``${NAME:-word}``."""
        if depth > _DEEPEST:
            return self._holes.hole("?", "variables stand too deep in one another")
        if "$" not in text:
            return re.sub(r"\\(.)|['\"]", r"\1", text)
        reader = Reader(self, text, 0)
        return self._budget.spent(self.joined([piece for word in reader.words(depth + 1) for piece in word]))

    def hole(self, name: str, reason: str, exact: str = "") -> str:
        """Make an unknown text."""
        return self._holes.hole(name, reason, exact)

    def joined(self, pieces: list[Piece]) -> str:
        """Make one text of the pieces of a word."""
        return "".join(
            piece.text if piece.words is None else " ".join(word.text for word in piece.words) for piece in pieces
        )

    def split(self, pieces: list[Piece], line: int) -> Iterator[Word]:
        """Make words of one: what a variable brings outside of quotes is split at blanks, an array is several."""
        line = pieces[0].at or line
        if len(pieces) == 1 and pieces[0].words is not None:
            yield from pieces[0].words
            return
        text, at, started = "", 0, False
        for piece in pieces:
            if piece.words is not None:
                text += " ".join(word.text for word in piece.words)
                started = True
            elif piece.line and not piece.quoted and any(letter.isspace() for letter in piece.text):
                parts = piece.text.split()
                if piece.text[0].isspace() and started:
                    yield Word(text, at or line)
                    text, started = "", False
                for index, part in enumerate(parts):
                    text, at, started = text + part, piece.line, True
                    if index < len(parts) - 1 or piece.text[-1].isspace():
                        yield Word(text, at)
                        text, started = "", False
            else:
                text += piece.text
                started = started or piece.quoted or bool(piece.text)
                if piece.line and len(pieces) == 1:
                    at = piece.line
        if started:
            yield Word(text, at or line)


def _changed(inner: str, name: str, text: str) -> str:
    """Work out the changes of a variable that are often used with images: ``${X,,}``, ``${X^^}``, ``${X//a/b}``."""
    rest = inner[len(name) :] if inner.startswith(name) else ""
    if rest == ",,":
        return text.lower()
    if rest == "^^":
        return text.upper()
    replaced = re.fullmatch(r"(//?)((?:\\.|[^/\\*?\[])+)/([^/]*)", rest)
    if replaced:
        old = re.sub(r"\\(.)", r"\1", replaced[2])
        return text.replace(old, replaced[3], -1 if replaced[1] == "//" else 1)
    cut = re.fullmatch(r"(##?|%%?)([^*?\[]*)(\*?)([^*?\[]*)", rest)
    if cut is None:
        return ""
    operator, before, star, after = cut[1], cut[2], cut[3], cut[4]
    if operator[0] == "#" and not star:
        return text.removeprefix(before)
    if operator[0] == "%" and not star:
        return text.removesuffix(before)
    if operator[0] == "#" and star and not before and after in text:
        return text[(text.index(after) if operator == "#" else text.rindex(after)) + len(after) :]
    if operator[0] == "%" and star and not after and before in text:
        return text[: text.rindex(before) if operator == "%" else text.index(before)]
    return "" if after in text or before in text else text
