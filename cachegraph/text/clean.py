r"""Text that came from outside, made harmless for where it goes: one cleaner for each format.

An export, a registry or a file name can hold anything: characters that drive a terminal or turn the direction of a
line, formulas that a spreadsheet runs, links and mentions that a web page makes live, lines that a CI system takes for
commands. Whatever is written passes one of these functions at the edge, and nothing else needs to know.

===================  ================================================================================================
`one_line`           a cell, a message, a title: no line ends, no control characters
`plain`              text of several lines, such as a table: no control characters, no commands to a CI system
`csv_cell`           `one_line`, and no formula
`markdown`           `one_line`, and nothing live: no HTML, link, mention or table cell
`json_text`          JSON with ``\u`` escapes for what is not printable
`xml`                text for XML and HTML that a template or a library escapes
===================  ================================================================================================
"""

from __future__ import annotations

import json
import re
from functools import lru_cache

__all__ = ["csv_cell", "json_safe", "json_text", "legal", "markdown", "one_line", "plain", "xml"]

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# GitHub's runner takes `::name::` at the start of a line, and `##[name]` anywhere in it, for a command
# (actions/runner, ActionCommand.TryParseV2 and TryParse); Azure Pipelines takes `##vso[`.
_COMMAND = re.compile(r"^(\s*):(?=:)", re.MULTILINE)
_OLD_COMMAND = re.compile(r"##(?=\[|vso\[)")

_OUTSIDE = {"|": "&#124;", "<": "&lt;", "@": "&#64;"}
_SAFE_WORD = re.compile(r"(?!www\.)(?:[^\W_]|[(\"'])(?:[^\W_]|[.,;:()\"'/%?+-])*|[-/=]|%[).,;:]*", re.IGNORECASE)
_LIVE_WORD = re.compile(r"://|\bwww\.|\bGH-\d", re.IGNORECASE)


def legal(text: str) -> str:
    r"""Replace control characters, and keep the ends of lines and tabs.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> legal("a\x00b")
    'a�b'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else _REPLACEMENT for c in text)


def one_line(text: str) -> str:
    r"""Put a text on one line, without control characters.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> one_line("RUN make\n\x1b[31m")
    'RUN make �[31m'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c in "\n\t\r" else _REPLACEMENT for c in text)


def plain(text: str) -> str:
    r"""Take control characters out of a text of several lines, and what a CI system takes for a command.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> plain("::error::no\n ##[add-mask]a")
    ': :error::no\n ## [add-mask]a'
    """
    text = legal(text)
    if "::" in text:
        text = _COMMAND.sub(r"\1: ", text)
    return _OLD_COMMAND.sub("## ", text) if "##" in text else text


def csv_cell(text: str) -> str:
    """Make a cell that no spreadsheet takes for a formula.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> csv_cell("=1+1")
    "'=1+1"
    """
    text = one_line(text)
    return f"'{text}" if text.lstrip(" '")[:1] in tuple("=+-@") else text


def markdown(text: str) -> str:
    """Make text for a paragraph or a table cell in Markdown; words that could become live are shown as code.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> markdown("record 7 (RUN make) by @you <b>")
    'record 7 (RUN make) by &#64;`you` &lt;`b>`'
    """
    return " ".join(_markdown_word(word) for word in plain(one_line(text)).split(" "))


@lru_cache(4096)
def _markdown_word(word: str) -> str:
    if not word or (_SAFE_WORD.fullmatch(word) and not _LIVE_WORD.search(word)):
        return word
    # What ends a sentence is no part of the code.
    end = len(word.rstrip(".,;"))
    if 0 < end < len(word):
        return _markdown_word(word[:end]) + word[end:]
    # A bar ends a table cell even within code, and not every reader of Markdown leaves a tag or a mention within code
    # alone: these characters stand between two pieces of code.
    return "".join(_OUTSIDE.get(part) or _code(part) for part in re.split(r"([|<@])", word))


def _code(text: str) -> str:
    if not text:
        return ""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text[0] == "`" or text[-1] == "`" else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def json_text(value: object, *, indent: int | None = 2) -> str:
    r"""Write JSON in which every character is printable; the value that is read back is the same.

    Parameters
    ----------
    value : object
        Made of what JSON knows.
    indent : int, optional
        None for one line.

    Examples
    --------
    >>> json_text("\x9b\u202e ##[error]", indent=None)
    '"\\u009b\\u202e \\u0023#[error]"'
    """
    return json_safe(json.dumps(value, indent=indent, ensure_ascii=False))


def json_safe(text: str) -> str:
    r"""Write what is not printable in JSON as ``\u`` escapes; the value stays the same.

    Parameters
    ----------
    text : str
        JSON.
    """
    if not text.isascii() or "\x7f" in text:
        text = "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text)
    return _OLD_COMMAND.sub(r"\\u0023#", text) if "##" in text else text


def _escaped(char: str) -> str:
    return json.dumps(char)[1:-1] if char != "\x7f" else r"\u007f"


def xml(text: str) -> str:
    """Take out of a text what XML cannot hold, and what a CI system takes for a command.

    Parameters
    ----------
    text : str
        Still to be escaped.
    """
    return plain(text)
