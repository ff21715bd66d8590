"""Shell scripts, as far as a build's command line needs them: words, quotes, variables, arrays, branches.

::

    ARGS=(--cache-from type=gha)
    if [ "$MAIN" = 1 ]; then ARGS+=(--cache-to type=gha,mode=max); fi
    docker buildx build "${ARGS[@]}" -t "$IMAGE:latest" .

Nothing is run: variables are texts or holes (`cachegraph.lint.shell_variables`). Each letter is looked at once, or
twice where quotes nest. Source: POSIX, "Shell Command Language"; Bash's manual for arrays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cachegraph.lint.budget import ExpansionBudget
from cachegraph.lint.holes import Holes
from cachegraph.lint.shell_variables import Branch, ShellVariables
from cachegraph.lint.shell_words import Piece, Reader, Word
from cachegraph.lint.values import Condition

__all__ = ["Command", "Shell", "Word"]

_NAME = re.compile(r"[A-Za-z_]\w*")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\+?)=")
_OPENS = frozenset({"if", "for", "while", "until", "case"})
_CLOSES = frozenset({"fi", "done", "esac"})
_MIDDLE = frozenset({"then", "else", "elif", "do", "!", "{", "}", "time"})
_DECLARES = frozenset({"export", "local", "readonly", "declare", "typeset"})
_DEEPEST = 4
_FIRST_WORD = re.compile(r"^\s*(?:(?:if|elif|while|then|do|else)\b\s*)+")
_LONGEST_CONDITION = 200
_MOST_BRANCHES = 50  # that a command keeps the conditions of: those that stand closest to it
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
        self._variables = ShellVariables(holes, budget, env, reason)
        self._branches: list[Branch] = []
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
        reader = Reader(self._variables, script, line)
        guard: Branch | None = None  # `[ .. ] &&` in front
        for tokens, at, ends, source in reader.statements():
            outside = len(self._branches)
            if guard is not None:
                self._branches.append(guard)
            command = self._command(tokens, at, ends, source)
            if guard is not None and any(branch is guard for branch in self._branches[outside : outside + 1]):
                del self._branches[outside]  # from below those that the command opens
            guard = None
            if ends in ("&&", "||") and _literal(tokens[0]) in ("[", "[[", "test"):
                said = self._condition(source)
                guard = Branch(said if ends == "&&" else Condition(text=f"!({said.text})"))
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
                self._variables.assign(name, value, self._closest(), adds=adds, line=line)
                return None
            env[name] = self._variables.joined(value)
        if position == len(words):
            for name, text in env.items():
                self._variables.assign(name, [Piece(text=text, quoted=True)], self._closest(), adds=False, line=line)
            return None
        if _literal(words[position]) in _DECLARES:
            for word in words[position + 1 :]:
                if found := _assignment(word):
                    self._variables.assign(found[0], found[2], self._closest(), adds=found[1], line=line)
                if _literal(words[position]) == "export":
                    self._variables.export(found[0] if found else _literal(word))
            return None
        made = tuple(word for pieces in words[position:] for word in self._variables.split(pieces, line))
        if not made:
            return None
        conditions = tuple(branch.condition for branch in self._closest())
        self._note_environment(made, ends)
        return Command(made, line, conditions, ignores_failure=ends == "||true", env=env)

    def _keywords(self, words: list[list[Piece]], source: str) -> int | None:
        """Open and close branches; give where the command begins, or None if there is none."""
        for position, word in enumerate(words):
            literal = _literal(word)
            if literal in _OPENS:
                self._branches.append(Branch(self._condition(source)))
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

    def _closest(self) -> list[Branch]:
        return self._branches[-_MOST_BRANCHES:]

    def _condition(self, source: str) -> Condition:
        """Make a condition of the command that decides, as it is written."""
        said = " ".join(_FIRST_WORD.sub("", self._holes.shown(source)).split())
        return Condition(text=said[:_LONGEST_CONDITION])

    def _loop(self, kind: str, words: list[list[Piece]]) -> None:
        if kind == "for" and words and (name := _literal(words[0])) and _NAME.fullmatch(name):
            given = [word for pieces in words[2:] for word in self._variables.split(pieces, 0)]
            texts = list(dict.fromkeys(word.text for word in given))
            if len(texts) == 1:
                self._variables.put(name, Word(texts[0], given[0].line), self._closest())
                return
            choices = [(text, Condition(text=f"for {name} in ..")) for text in texts]
            char = self._holes.hole(name, f"the loop sets {name} to one after the other", f"for {name}", choices)
            self._variables.put(name, Word(char, 0), self._closest())

    def _other_branch(self, word: str) -> None:
        if not self._branches:
            return
        branch = self._branches[-1]
        branch.condition = Condition(text=f"!({branch.condition.text})"[:_LONGEST_CONDITION])
        branch.last = word == "else"

    def exported(self, command: Command, name: str) -> str | None:
        """Give a variable as the last command has it; None if it is not set, or if the script keeps it to itself."""
        return command.env[name] if name in command.env else self._variables.exported(name)

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


_RUNS = re.compile(r"\b(?:docker|podman|buildctl|depot|nerdctl|buildah)\b")


def _inner_scripts(command: Command) -> Iterator[tuple[Word, tuple[Condition, ...]]]:
    """Find scripts in words: ``bash -c "docker build .."``, ``eval "$CMD"``, ``ssh host 'docker ..'``, ``$(..)``."""
    if command.words[0].text in ("echo", "printf", "git", "sed", "grep"):
        return
    for word in command.words:
        text = word.text
        if " " in text and ("build" in text or "bake" in text) and _RUNS.search(text):
            yield word, (*command.conditions, *word.conditions)
