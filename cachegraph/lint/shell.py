"""Shell scripts, as far as a build's command line needs them: words, quotes, variables, arrays, branches.

::

    ARGS=(--cache-from type=gha)
    if [ "$MAIN" = 1 ]; then ARGS+=(--cache-to type=gha,mode=max); fi
    docker buildx build "${ARGS[@]}" -t "$IMAGE:latest" .

Nothing is run. A variable that the script does not set is a hole with its name; one that it sets in a branch has each
of its texts, with the condition of the branch. Each letter is looked at once, or twice where quotes nest.
Source: POSIX, "Shell Command Language"; Bash's manual for arrays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cachegraph.lint.budget import ExpansionBudget
from cachegraph.lint.holes import Holes, has_hole
from cachegraph.lint.shell_words import Piece, Reader, Word
from cachegraph.lint.values import Condition

__all__ = ["Command", "Shell", "Word"]

_NAME = re.compile(r"[A-Za-z_]\w*")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\+?)=")
_PARAMETER = re.compile(r"([A-Za-z_]\w*|[@*#?0-9])(?:\[([@*])\])?(?:(:?[-=?+])([\s\S]*))?")
_OPENS = frozenset({"if", "for", "while", "until", "case"})
_CLOSES = frozenset({"fi", "done", "esac"})
_MIDDLE = frozenset({"then", "else", "elif", "do", "!", "{", "}", "time"})
_DECLARES = frozenset({"export", "local", "readonly", "declare", "typeset"})
_DEEPEST = 4
_FIRST_WORD = re.compile(r"^\s*(?:(?:if|elif|while|then|do|else)\b\s*)+")
_LONGEST_CONDITION = 200
_FILES = ("GITHUB_ENV", "GITHUB_OUTPUT")
_OUTPUT = re.compile(r"([A-Za-z_][\w-]*)=")


@dataclass(frozen=True, slots=True)
class Command:
    """A simple command, its variables filled in.

    Attributes
    ----------
    words : tuple of Word
    line : int
    conditions : tuple of Condition
        Of the branches it stands in.
    ignores_failure : bool
        ``|| true`` or ``|| :`` or ``|| echo`` stands behind it.
    env : mapping of str to str
        Variables set in front of it.
    """

    words: tuple[Word, ...]
    line: int
    conditions: tuple[Condition, ...] = ()
    ignores_failure: bool = False
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Branch:
    """An ``if`` or a loop that is open."""

    word: str
    condition: Condition
    before: dict[str, _Variable] = field(default_factory=dict)
    assigned: set[str] = field(default_factory=set)
    last: bool = False  # behind `else`


@dataclass(frozen=True, slots=True)
class _Variable:
    words: tuple[Word, ...]
    is_array: bool = False

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


class Shell:
    """Reads scripts one behind the other; variables stay.

    Parameters
    ----------
    holes : Holes
    budget : ExpansionBudget
    env : mapping of str to str
        What is set outside, with holes.
    reason : str
        Why other variables are not known.
    """

    def __init__(
        self, holes: Holes, budget: ExpansionBudget, env: Mapping[str, str], reason: str = "variable {} is not set here"
    ) -> None:
        self._holes = holes
        self._budget = budget
        self._env = env
        self._reason = reason
        self._variables: dict[str, _Variable] = {}
        self._exported: set[str] = set(env)
        self._branches: list[_Branch] = []
        # What is written to $GITHUB_ENV and $GITHUB_OUTPUT, and to which of them what is not known.
        self.appended: dict[str, dict[str, str]] = {name: {} for name in _FILES}
        self.appends_unknown: set[str] = set()

    def commands(self, script: str, line: int, depth: int = 0) -> Iterator[Command]:
        """Give the simple commands of a script, in order.

        Parameters
        ----------
        script : str
            With holes.
        line : int
            Of its first line.
        depth : int
            Scripts within scripts: ``bash -c '..'``.
        """
        self._branches = []
        reader = Reader(self, script, line)
        guard: _Branch | None = None  # `[ .. ] &&` in front
        for tokens, at, ends, source in reader.statements():
            if guard is not None:
                guard.before = dict(self._variables)
                self._branches.append(guard)
            command = self._command(tokens, at, ends, source)
            if guard is not None:
                self._branches = [branch for branch in self._branches if branch is not guard]
            guard = None
            if ends in ("&&", "||") and _literal(tokens[0]) in ("[", "[[", "test"):
                said = self._condition(source)
                guard = _Branch("if", said if ends == "&&" else Condition(text=f"!({said.text})"))
            if command is None:
                continue
            yield command
            if depth < _DEEPEST:
                for inner, conditions in _inner_scripts(command):
                    saved, self._branches = self._branches, []
                    for one in self.commands(inner.text, inner.line, depth + 1):
                        yield Command(one.words, one.line, (*conditions, *one.conditions), one.ignores_failure, one.env)
                    self._branches = saved

    def _command(self, words: list[list[Piece]], line: int, ends: str, source: str) -> Command | None:
        """Handle keywords and assignments; give what is a command."""
        position = self._keywords(words, source)
        if position is None:
            return None
        env: dict[str, str] = {}
        while position < len(words) and (found := _assignment(words[position])):
            name, adds, value = found
            position += 1
            if position == len(words) and not env:
                self._assign(name, value, adds=adds, line=line)
                return None
            env[name] = self._joined(value)
        if position == len(words):
            for name, text in env.items():
                self._assign(name, [Piece(text=text, quoted=True)], adds=False, line=line)
            return None
        if _literal(words[position]) in _DECLARES:
            for word in words[position + 1 :]:
                if found := _assignment(word):
                    self._assign(found[0], found[2], adds=found[1], line=line)
                if _literal(words[position]) == "export":
                    self._exported.add(found[0] if found else _literal(word))
            return None
        made = tuple(word for pieces in words[position:] for word in self.split(pieces, line))
        if not made:
            return None
        conditions = tuple(branch.condition for branch in self._branches)
        self._note_environment(made, ends)
        return Command(made, line, conditions, ignores_failure=ends == "||true", env=env)

    def _keywords(self, words: list[list[Piece]], source: str) -> int | None:
        """Open and close branches; give where the command begins, or None if there is none."""
        for position, word in enumerate(words):
            literal = _literal(word)
            if literal in _OPENS:
                self._branches.append(_Branch(literal, self._condition(source)))
                self._branches[-1].before = dict(self._variables)
                if literal in ("for", "case"):
                    self._loop(literal, words[position + 1 :])
                    return None
            elif literal in _CLOSES:
                del self._branches[-1:]
            elif literal in ("else", "elif"):
                self._other_branch(literal)
            elif literal not in _MIDDLE:
                return position
        return len(words)

    def _condition(self, source: str) -> Condition:
        """Make a condition of the command that decides, as it is written."""
        said = " ".join(_FIRST_WORD.sub("", self._holes.shown(source)).split())
        return Condition(text=said[:_LONGEST_CONDITION])

    def _loop(self, kind: str, words: list[list[Piece]]) -> None:
        if kind == "for" and words and (name := _literal(words[0])) and _NAME.fullmatch(name):
            given = [word for pieces in words[2:] for word in self.split(pieces, 0)]
            texts = list(dict.fromkeys(word.text for word in given))
            if len(texts) == 1:
                self._variables[name] = _Variable((Word(texts[0], given[0].line),))
                return
            choices = [(text, Condition(text=f"for {name} in ..")) for text in texts]
            char = self._holes.hole(name, f"the loop sets {name} to one after the other", f"for {name}", choices)
            self._variables[name] = _Variable((Word(char, 0),))

    def _other_branch(self, word: str) -> None:
        if not self._branches:
            return
        branch = self._branches[-1]
        branch.condition = Condition(text=f"!({branch.condition.text})"[:_LONGEST_CONDITION])
        branch.last = word == "else"

    def _assign(self, name: str, value: list[Piece], *, adds: bool, line: int) -> None:
        array = value[0].words if len(value) == 1 and value[0].words is not None else None
        before = self._variables.get(name)
        if before is None and name in self._env:
            before = _Variable((Word(self._env[name], 0),))
        if array is not None:
            conditions = tuple(branch.condition for branch in self._branches) if adds else ()
            added = tuple(Word(word.text, word.line or line, (*word.conditions, *conditions)) for word in array)
            kept = before.words if before is not None and adds and before.is_array else ()
            self._budget.count(sum(len(word.text) + 8 for word in (*kept, *added)))
            self._variables[name] = _Variable((*kept, *added), is_array=True)
            return
        text = self._joined(value)
        if adds:
            text = self._budget.spent((before.text if before else "") + text)
        new = _Variable((Word(text, line),))
        if self._branches and not adds:
            branch = self._branches[-1]
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
                new = _Variable((Word(char, line),))
            branch.assigned.add(name)
        self._variables[name] = new

    def _note_environment(self, words: tuple[Word, ...], ends: str) -> None:
        """Remember ``echo NAME=text >> $GITHUB_ENV``."""
        to = next((name for name in _FILES if name in ends), None)
        if to is None:
            return
        if words[0].text in ("echo", "printf") and len(words) >= 2:
            text = " ".join(word.text for word in words[1:] if word.text not in ("-e", "-n"))
            found = _ASSIGNMENT.match(text) or _OUTPUT.match(text)
            if found and "+" not in found[0] and "\n" not in text and "%" not in text:
                value = text[found.end() :]
                name = found[1]
                if self._branches or self.appended[to].get(name, value) != value:
                    value = self._holes.hole(name, f"a branch of a script sets {name}", f"{to} {name}")
                self.appended[to][name] = value
                return
        self.appends_unknown.add(to)

    def variable(self, name: str) -> _Variable | None:
        """Give a variable that the script or what is around it sets."""
        if name in self._variables:
            return self._variables[name]
        return _Variable((Word(self._env[name], 0),)) if name in self._env else None

    def exported(self, command: Command, name: str) -> str | None:
        """Give a variable as the last command has it; None if it is not set, or if the script keeps it to itself."""
        if name in command.env:
            return command.env[name]
        variable = self.variable(name) if name in self._exported else None
        return None if variable is None else variable.text

    def parameter(self, inner: str, quoted: bool, depth: int = 0) -> Piece:
        """Work out what stands in ``${ }``."""
        found = _PARAMETER.fullmatch(inner)
        if found is None:
            named = _NAME.search(inner)
            name = named[0] if named else "?"
            variable = self.variable(name)
            if variable is not None and not has_hole(variable.text) and (text := _changed(inner, name, variable.text)):
                return Piece(self._budget.spent(text), quoted)
            return Piece(self._holes.hole(name, f"${{{name}..}} is worked out only by the shell", inner), quoted)
        name, every, operator, word = found[1], found[2], found[3] or "", found[4] or ""
        variable = self.variable(name)
        if every or (variable is not None and variable.is_array and name not in "@*"):
            if variable is not None:
                if operator.endswith("+") and word.strip('"').startswith("${") and not variable.words:
                    return Piece("", quoted, words=())
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
        return self._budget.spent(self._joined([piece for word in reader.words(depth + 1) for piece in word]))

    def hole(self, name: str, reason: str, exact: str = "") -> str:
        """Make an unknown text."""
        return self._holes.hole(name, reason, exact)

    def _joined(self, pieces: list[Piece]) -> str:
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


def _literal(word: list[Piece]) -> str:
    return word[0].text if len(word) == 1 and not word[0].quoted and not word[0].line and word[0].words is None else ""


def _assignment(word: list[Piece]) -> tuple[str, bool, list[Piece]] | None:
    first = word[0]
    if first.quoted or first.line or first.words is not None:
        return None
    found = _ASSIGNMENT.match(first.text)
    if found is None:
        return None
    rest = first.text[found.end() :]
    return found[1], bool(found[2]), [*([Piece(rest)] if rest else []), *word[1:]]


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


_RUNS = re.compile(r"\b(?:docker|podman|buildctl|depot|nerdctl|buildah)\b")


def _inner_scripts(command: Command) -> Iterator[tuple[Word, tuple[Condition, ...]]]:
    """Find scripts in words: ``bash -c "docker build .."``, ``eval "$CMD"``, ``ssh host 'docker ..'``, ``$(..)``."""
    if command.words[0].text in ("echo", "printf", "git", "sed", "grep"):
        return
    for word in command.words:
        text = word.text
        if " " in text and ("build" in text or "bake" in text) and _RUNS.search(text):
            yield word, (*command.conditions, *word.conditions)
