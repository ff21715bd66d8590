"""Splitting one instruction into its keyword, flags and arguments (BuildKit ``frontend/dockerfile/parser``).

The text is what is left after lines were joined; variables are not substituted here, and quotes stay on.
"""

from __future__ import annotations

from dataclasses import dataclass

from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.gotext import BLANKS, parse_json_strings, runes, split_blanks

__all__ = ["Arguments", "Command", "parse_arguments", "split_command"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """An instruction's parts.

    Attributes
    ----------
    keyword : str
        As it is written.
    flags : tuple of str
        Such as ``--from=base``, without quotes and escapes.
    rest : str
    """

    keyword: str
    flags: tuple[str, ...] = ()
    rest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What follows the flags.

    Attributes
    ----------
    words : tuple of str
        Of ``ENV`` and ``LABEL`` three each: name, value, and ``=`` or nothing for the old form.
    is_json : bool
        They were written as a JSON array.
    """

    words: tuple[str, ...] = ()
    is_json: bool = False


def split_command(text: str, escape: str) -> Command:
    """Split an instruction into keyword, flags and the rest."""
    keyword, *more = split_blanks(text.strip(BLANKS), 2)
    if not more:
        return Command(keyword=keyword)
    flags, rest = _split_flags(more[0], escape)
    return Command(keyword=keyword, flags=flags, rest=rest.strip(BLANKS))


def _split_flags(text: str, escape: str) -> tuple[tuple[str, ...], str]:
    """Take the words that start with ``--`` off the front.

    BuildKit goes through the bytes here and takes each for a character, so ``--chown=ü`` becomes ``Ã¼``.
    """
    line = text.encode(errors="surrogateescape").decode("latin-1")
    flags: list[str] = []
    place = 0
    while True:
        while place < len(line) and line[place] in BLANKS:
            place += 1
        if not line.startswith("--", place):
            break
        word, place, quoted = _flag(line, place, escape)
        if word == "--":
            break
        if word or quoted:
            flags.append(word)
    return tuple(flags), line[place:].encode("latin-1").decode(errors="surrogateescape")


def _flag(line: str, place: int, escape: str) -> tuple[str, int, bool]:
    """Read one flag; give it, the place behind it, and whether a part of it was quoted."""
    word: list[str] = []
    quote = ""
    quoted = False
    while place < len(line):
        character = line[place]
        if quote:
            if character == quote:
                quote = ""
                place += 1
                continue
        elif character in BLANKS:
            break
        elif character in ("'", '"'):
            quote, quoted = character, True
            place += 1
            continue
        if character == escape:
            place += 1
            if place == len(line):
                break
            character = line[place]
        word.append(character)
        place += 1
    return "".join(word), place, quoted


def _split_words(text: str, escape: str) -> list[str]:
    """Split at blanks that are neither quoted nor escaped; quotes and escapes stay."""
    text = runes(text)
    words: list[str] = []
    word: list[str] = []
    quote = ""
    quoted = False
    place = 0
    while place < len(text):
        character = text[place]
        place += 1
        if not quote and character in BLANKS:
            if word or quoted:
                words.append("".join(word))
            word, quoted = [], False
            continue
        if quote:
            if character == quote:
                quote = ""
        elif character in ("'", '"'):
            quote, quoted = character, True
        if character == escape and quote != "'":
            if place == len(text):
                break
            word.append(character)
            character = text[place]
            place += 1
        word.append(character)
    if word or quoted:
        words.append("".join(word))
    return words


def _pairs(keyword: str, rest: str, escape: str) -> Arguments:
    """Read ``name=value ...``, or the old form ``name value``."""
    words = _split_words(rest, escape)
    if not words:
        return Arguments()
    if "=" not in words[0]:
        parts = split_blanks(rest, 2)
        if len(parts) < 2:
            raise DockerfileError(f"{keyword} must have two arguments")
        return Arguments(words=(parts[0], parts[1], ""))
    found: list[str] = []
    for word in words:
        if "=" not in word:
            raise DockerfileError(f'Syntax error - can\'t find = in "{word}". Must be of the form: name=value')
        found += word.partition("=")[::2]
        found.append("=")
    return Arguments(words=tuple(found))


def _maybe_json(rest: str) -> Arguments:
    items = parse_json_strings(rest)
    return Arguments(words=(rest,) if rest else ()) if items is None else Arguments(words=tuple(items), is_json=True)


def _list(rest: str) -> Arguments:
    return Arguments(words=tuple(split_blanks(rest)) if rest else ())


def _health(rest: str) -> Arguments:
    kind, *more = split_blanks(rest, 2)
    if not kind:
        return Arguments()
    command = _maybe_json(more[0].lstrip(BLANKS) if more else "")
    return Arguments(words=(kind, *command.words), is_json=command.is_json)


def parse_arguments(keyword: str, rest: str, escape: str) -> Arguments:
    """Read what follows an instruction's flags, in the way that belongs to the instruction.

    Parameters
    ----------
    keyword : str
        In lower case.
    rest : str
        Without blanks around it.
    escape : str

    Raises
    ------
    DockerfileError
        Arguments that BuildKit refuses.
    """
    match keyword:
        case "add" | "copy" | "volume":
            items = parse_json_strings(rest)
            return _list(rest) if items is None else Arguments(words=tuple(items), is_json=True)
        case "run" | "cmd" | "entrypoint" | "shell":
            return _maybe_json(rest)
        case "env" | "label":
            return _pairs(keyword.upper(), rest, escape)
        case "arg":
            return Arguments(words=tuple(_split_words(rest, escape)))
        case "expose" | "from":
            return _list(rest)
        case "healthcheck":
            return _health(rest)
        case "maintainer" | "stopsignal" | "user" | "workdir":
            return Arguments(words=(rest,) if rest else ())
        case _:
            return Arguments()
