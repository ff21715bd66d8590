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

from cachegraph.lint.found import ExpansionBudget
from cachegraph.lint.holes import Holes, has_hole
from cachegraph.lint.values import Condition

__all__ = ["Command", "Shell", "Word"]

_NAME = re.compile(r"[A-Za-z_]\w*")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\+?)=")
_PLAIN = re.compile(r"[^\s'\"\\$`|;&<>()#]+")
_HEREDOC = re.compile(r"<<(-?)[ \t]*(['\"\\]?)([\w.-]+)['\"]?")
_PARAMETER = re.compile(r"([A-Za-z_]\w*|[@*#?0-9])(?:\[([@*])\])?(?:(:?[-=?+])([\s\S]*))?")
_OPENS = frozenset({"if", "for", "while", "until", "case"})
_CLOSES = frozenset({"fi", "done", "esac"})
_MIDDLE = frozenset({"then", "else", "elif", "do", "!", "{", "}", "time"})
_DECLARES = frozenset({"export", "local", "readonly", "declare", "typeset"})
_DEEPEST = 4
_LONGEST_CONDITION = 200
_FILES = ("GITHUB_ENV", "GITHUB_OUTPUT")
_OUTPUT = re.compile(r"([A-Za-z_][\w-]*)=")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a command.

    Attributes
    ----------
    text : str
        With holes.
    line : int
        Where it is written: for what a variable brings, where that is set.
    conditions : tuple of Condition
        Of the branch that adds it to an array.
    """

    text: str
    line: int
    conditions: tuple[Condition, ...] = ()


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
class _Piece:
    """A part of a word: a text, or the words that an array stands for."""

    text: str = ""
    quoted: bool = False
    line: int = 0  # where a variable was set; 0 for what stands here
    words: tuple[Word, ...] | None = None
    at: int = 0  # of the first piece of a word: its line


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
        reader = _Reader(self, script, line)
        guard: _Branch | None = None  # `[ .. ] &&` in front
        for tokens, at, ends in reader.statements():
            if guard is not None:
                guard.before = dict(self._variables)
                self._branches.append(guard)
            command = self._command(tokens, at, ends)
            if guard is not None:
                self._branches = [branch for branch in self._branches if branch is not guard]
            guard = None
            if ends in ("&&", "||") and _literal(tokens[0]) in ("[", "[[", "test"):
                said = self._condition(tokens)
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

    def _command(self, words: list[list[_Piece]], line: int, ends: str) -> Command | None:
        """Handle keywords and assignments; give what is a command."""
        position = self._keywords(words)
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
                self._assign(name, [_Piece(text=text, quoted=True)], adds=False, line=line)
            return None
        if _literal(words[position]) in _DECLARES:
            for word in words[position + 1 :]:
                if found := _assignment(word):
                    self._assign(found[0], found[2], adds=found[1], line=line)
            return None
        made = tuple(word for pieces in words[position:] for word in self._split(pieces, line))
        if not made:
            return None
        conditions = tuple(branch.condition for branch in self._branches)
        self._note_environment(made, ends)
        return Command(made, line, conditions, ignores_failure=ends == "||true", env=env)

    def _keywords(self, words: list[list[_Piece]]) -> int | None:
        """Open and close branches; give where the command begins, or None if there is none."""
        for position, word in enumerate(words):
            literal = _literal(word)
            if literal in _OPENS:
                self._branches.append(_Branch(literal, self._condition(words[position:])))
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

    def _condition(self, words: list[list[_Piece]]) -> Condition:
        said = " ".join("".join(piece.text for piece in word) for word in words[:40])
        return Condition(text=self._holes.shown(said)[:_LONGEST_CONDITION])

    def _loop(self, kind: str, words: list[list[_Piece]]) -> None:
        if kind == "for" and words and (name := _literal(words[0])) and _NAME.fullmatch(name):
            given = [word for pieces in words[2:] for word in self._split(pieces, 0)]
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

    def _assign(self, name: str, value: list[_Piece], *, adds: bool, line: int) -> None:
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

    def parameter(self, inner: str, quoted: bool, depth: int = 0) -> _Piece:
        """Work out what stands in ``${ }``."""
        found = _PARAMETER.fullmatch(inner)
        if found is None:
            named = _NAME.search(inner)
            name = named[0] if named else "?"
            variable = self.variable(name)
            if variable is not None and not has_hole(variable.text) and (text := _changed(inner, name, variable.text)):
                return _Piece(self._budget.spent(text), quoted)
            return _Piece(self._holes.hole(name, f"${{{name}..}} is worked out only by the shell", inner), quoted)
        name, every, operator, word = found[1], found[2], found[3] or "", found[4] or ""
        variable = self.variable(name)
        if every or (variable is not None and variable.is_array and name not in "@*"):
            if variable is not None:
                if operator.endswith("+") and word.strip('"').startswith("${") and not variable.words:
                    return _Piece("", quoted, words=())
                return _Piece(quoted=True, words=variable.words)
            if operator.endswith(("-", "+")):
                return _Piece("", quoted, words=())
        given = variable is not None and (variable.text != "" or not operator.startswith(":"))
        if operator.endswith("+") and variable is not None:
            return _Piece(self._word(word, depth) if given else "", quoted)
        if variable is not None and given:
            line = variable.words[0].line if variable.words else 0
            return _Piece(self._budget.spent(variable.text), quoted, line)
        if operator.endswith(("-", "=")) and name not in self._env:
            # Whoever calls the script may set it: the default is one of its texts, and the one that is written down.
            return _Piece(self._word(word, depth), quoted)
        return _Piece(self._holes.hole(name, self._reason.format(name), name), quoted)

    def _word(self, text: str, depth: int) -> str:
        """Work out the word of ``${NAME:-word}``."""
        if depth > _DEEPEST:
            return self._holes.hole("?", "variables stand too deep in one another")
        if "$" not in text:
            return re.sub(r"\\(.)|['\"]", r"\1", text)
        reader = _Reader(self, text, 0)
        return self._budget.spent(self._joined([piece for word in reader.words(depth + 1) for piece in word]))

    def _joined(self, pieces: list[_Piece]) -> str:
        return "".join(
            piece.text if piece.words is None else " ".join(word.text for word in piece.words) for piece in pieces
        )

    def _split(self, pieces: list[_Piece], line: int) -> Iterator[Word]:
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


def _literal(word: list[_Piece]) -> str:
    return word[0].text if len(word) == 1 and not word[0].quoted and not word[0].line and word[0].words is None else ""


def _assignment(word: list[_Piece]) -> tuple[str, bool, list[_Piece]] | None:
    first = word[0]
    if first.quoted or first.line or first.words is not None:
        return None
    found = _ASSIGNMENT.match(first.text)
    if found is None:
        return None
    rest = first.text[found.end() :]
    return found[1], bool(found[2]), [*([_Piece(rest)] if rest else []), *word[1:]]


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


class _Reader:
    """Cuts a script into words."""

    def __init__(self, shell: Shell, text: str, line: int) -> None:
        self._shell = shell
        self._text = text
        self._at = 0
        self._line = line
        self._counted = 0
        self._heredocs: list[tuple[str, bool]] = []

    def _here(self) -> int:
        """Give the line of the place that is looked at."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def words(self, depth: int) -> Iterator[list[_Piece]]:
        """Give the words of a text without commands."""
        text = self._text
        while self._at < len(text):
            if text[self._at].isspace() or text[self._at] in "|;&<>()#":
                char = text[self._at]
                self._at += 1
                yield [_Piece(char)]
            elif word := self._word(depth):
                yield word

    def statements(self) -> Iterator[tuple[list[list[_Piece]], int, str]]:
        """Give each command's words, its line, and what ends it: ``||true``, ``>`` and a file, or nothing."""
        text = self._text
        words: list[list[_Piece]] = []
        line = 0
        target = ""
        while True:
            char = text[self._at] if self._at < len(text) else ""
            if char and char in " \t\r":
                self._at += 1
            elif char == "\\" and text.startswith(("\\\n", "\\\r\n"), self._at):
                self._at = text.index("\n", self._at) + 1
            elif char == "#":
                end = text.find("\n", self._at)
                self._at = end if end >= 0 else len(text)
            elif char == "(" and words and _is_array(words[-1]):
                self._array(words[-1])
            elif char == "" or char in "\n;|&()":
                ends = target or self._separator()
                self._at += 2 if text.startswith(("||", "&&", ";;"), self._at) else 1
                if words:
                    yield words, line, ends
                    words, target = [], ""
                if char == "":
                    return
                if char == "\n":
                    self._skip_heredocs()
            elif char in "<>":
                target = self._redirection() or target
            else:
                at = self._here()
                line = line if words else at
                if word := self._word(0):
                    word[0].at = at
                    words.append(word)

    def _separator(self) -> str:
        """Tell what ends a command: ``&&``, ``||``, ``||true`` where its failure does not matter, or nothing."""
        if self._text.startswith("&&", self._at):
            return "&&"
        if not self._text.startswith("||", self._at):
            return ""
        follows = self._text[self._at + 2 : self._at + 20].lstrip()
        return "||true" if follows.startswith(("true", ":", "echo", "exit 0", "printf")) else "||"

    def _redirection(self) -> str:
        heredoc = _HEREDOC.match(self._text, self._at)
        if heredoc and not self._text.startswith("<<<", self._at):
            self._heredocs.append((heredoc[3], heredoc[1] == "-"))
            self._at = heredoc.end()
            return ""
        while self._at < len(self._text) and self._text[self._at] in "<>&|":
            if self._text[self._at] == "|" and self._text[self._at - 1] != ">":
                break
            self._at += 1
        while self._at < len(self._text) and self._text[self._at] in " \t":
            self._at += 1
        start = self._at
        if self._at < len(self._text) and self._text[self._at] == "(":  # <(..)
            return ""
        self._word(0)
        return ">" + self._text[start : self._at] if self._at > start else ""

    def _skip_heredocs(self) -> None:
        """Pass over the texts of ``<<EOF``."""
        for end, dashed in self._heredocs:
            while self._at < len(self._text):
                close = self._text.find("\n", self._at)
                close = len(self._text) if close < 0 else close
                line = self._text[self._at : close]
                self._at = close + 1
                if (line.lstrip("\t ") if dashed else line.strip()) == end:
                    break
        self._heredocs = []

    def _array(self, word: list[_Piece]) -> None:
        """Read ``NAME=( .. )``: the words up to the closing brace."""
        self._at += 1
        found: list[Word] = []
        text = self._text
        while self._at < len(text) and text[self._at] != ")":
            char = text[self._at]
            if char.isspace() or char in "|;&<>(":
                self._at += 1
            elif char == "\\" and text.startswith("\\\n", self._at):
                self._at += 2
            elif char == "#":
                end = text.find("\n", self._at)
                self._at = end if end >= 0 else len(text)
            else:
                line = self._here()
                found += self._shell._split(self._word(0) or [_Piece()], line)
        self._at += 1
        word.append(_Piece(words=tuple(found)))

    def _word(self, depth: int) -> list[_Piece]:
        pieces: list[_Piece] = []
        text = self._text
        while self._at < len(text):
            char = text[self._at]
            if char == "'":
                end = text.find("'", self._at + 1)
                end = len(text) if end < 0 else end
                pieces.append(_Piece(text[self._at + 1 : end], quoted=True))
                self._at = end + 1
            elif char == '"':
                self._at += 1
                pieces += self._double_quoted(depth)
            elif char == "\\":
                if text.startswith("\n", self._at + 1) or text.startswith("\r\n", self._at + 1):
                    self._at = text.index("\n", self._at) + 1
                    continue
                pieces.append(_Piece(text[self._at + 1 : self._at + 2], quoted=True))
                self._at += 2
            elif char == "$":
                pieces.append(self._dollar(depth, quoted=False))
            elif char == "`":
                pieces.append(self._backtick(quoted=False))
            elif char == "#":
                if not pieces:
                    break
                pieces.append(_Piece("#"))
                self._at += 1
            elif found := _PLAIN.match(text, self._at):
                pieces.append(_Piece(found[0]))
                self._at = found.end()
            else:
                break
        return pieces

    def _double_quoted(self, depth: int) -> list[_Piece]:
        pieces = [_Piece(quoted=True)]
        text = self._text
        stop = re.compile(r'["\\$`]')
        while self._at < len(text):
            found = stop.search(text, self._at)
            if found is None:
                pieces.append(_Piece(text[self._at :], quoted=True))
                self._at = len(text)
                break
            if found.start() > self._at:
                pieces.append(_Piece(text[self._at : found.start()], quoted=True))
            self._at = found.start()
            match found[0]:
                case '"':
                    self._at += 1
                    break
                case "\\":
                    following = text[self._at + 1 : self._at + 2]
                    kept = following if following in '"\\$`' else "" if following == "\n" else f"\\{following}"
                    pieces.append(_Piece(kept, quoted=True))
                    self._at += 2
                case "$":
                    pieces.append(self._dollar(depth, quoted=True))
                case _:
                    pieces.append(self._backtick(quoted=True))
        if len(pieces) == 2 and pieces[1].words is not None:
            return pieces[1:]
        return pieces

    def _dollar(self, depth: int, *, quoted: bool) -> _Piece:
        text = self._text
        following = text[self._at + 1 : self._at + 2]
        if following == "(":
            return self._substitution(quoted=quoted)
        if following == "{":
            end = _matching(text, self._at + 1, "{", "}")
            inner = text[self._at + 2 : end]
            self._at = end + 1
            return self._shell.parameter(inner, quoted, depth)
        if found := _NAME.match(text, self._at + 1):
            self._at = found.end()
            return self._shell.parameter(found[0], quoted, depth)
        if following and following in "@*0123456789#?!$-":
            self._at += 2
            return (
                self._shell.parameter(following, quoted, depth)
                if following in "@*123456789"
                else _Piece(
                    self._shell._holes.hole(f"${following}", f"${following} is known only to the shell"),
                    quoted,
                )
            )
        if following == "'":
            self._at += 1
            return _Piece()
        self._at += 1
        return _Piece("$", quoted)

    def _substitution(self, *, quoted: bool) -> _Piece:
        end = _matching(self._text, self._at + 1, "(", ")")
        inner = self._text[self._at + 2 : end]
        self._at = end + 1
        return self._output(inner, quoted=quoted)

    def _backtick(self, *, quoted: bool) -> _Piece:
        end = self._text.find("`", self._at + 1)
        end = len(self._text) if end < 0 else end
        inner = self._text[self._at + 1 : end]
        self._at = end + 1
        return self._output(inner, quoted=quoted)

    def _output(self, inner: str, *, quoted: bool) -> _Piece:
        first = re.match(r"\s*([\w./-]*)", inner)
        name = f"$({first[1]} ..)" if first and first[1] else "$(..)"
        return _Piece(self._shell._holes.hole(name, f"{name} is known only when it runs", inner.strip()), quoted)


def _is_array(word: list[_Piece]) -> bool:
    return len(word) == 1 and not word[0].quoted and bool(re.fullmatch(r"[A-Za-z_]\w*\+?=", word[0].text))


def _matching(text: str, start: int, opens: str, closes: str) -> int:
    """Find the brace that closes one, passing over quotes; the end of the text if there is none."""
    depth = 0
    pattern = _BRACES if opens == "{" else _PARENTHESES
    for found in pattern.finditer(text, start):
        if found[0] == opens:
            depth += 1
        elif found[0] == closes:
            depth -= 1
            if depth == 0:
                return found.start()
    return len(text)


_BRACES = re.compile(r"\\.|'[^'}]*'|[{}]", re.DOTALL)
_PARENTHESES = re.compile(r"\\.|'[^']*'|[()]", re.DOTALL)
