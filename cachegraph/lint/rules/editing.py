"""Changes of a line, and of the text of an entry; an empty text means that it cannot be told how."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Fix", "changed_field", "changed_keys", "without_blanks"]

_EXPRESSION = re.compile(r"\$\{\{.*?\}\}|\$\{[^{}]*\}", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A change of one line.

    Attributes
    ----------
    file : str
    line : int
    before : str
        A text that stands in the line exactly once.
    after : str
    is_safe : bool
        Whether nobody can have meant the line as it is; ``--fix`` applies these.
    """

    file: str
    line: int
    before: str = field(repr=False)
    after: str = field(repr=False)
    is_safe: bool = True

    def applied(self, line: str) -> str:
        """Change a line; it stays as it is if the text is not in it exactly once."""
        return line.replace(self.before, self.after) if line.count(self.before) == 1 else line


def _parts(written: str) -> list[str] | None:
    """Split at commas outside expressions; None for a text with quotes, which change what commas mean."""
    if '"' in _EXPRESSION.sub("", written) or "'" in _EXPRESSION.sub("", written):
        return None
    held: list[str] = []

    def hold(found: re.Match[str]) -> str:
        held.append(found[0])
        return f"\0{len(held) - 1}\0"

    fields = _EXPRESSION.sub(hold, written).split(",")
    return [re.sub(r"\0(\d+)\0", lambda found: held[int(found[1])], one) for one in fields]


def without_blanks(written: str) -> str:
    """Take the blanks around commas and equals signs out; empty if there are none, or if it has quotes.

    Examples
    --------
    >>> without_blanks("type=gha, scope=app ")
    'type=gha,scope=app'
    """
    fields = _parts(written)
    if fields is None or "=" not in written:
        return ""
    changed = ",".join("=".join(part.strip() for part in one.split("=", 1)) for one in fields)
    return changed if changed != written else ""


def changed_field(written: str, key: str, value: str, after: str) -> str:
    """Give a key another value; empty if ``key=value`` does not stand there exactly once.

    Examples
    --------
    >>> changed_field("type=GHA,scope=app", "type", "GHA", "gha")
    'type=gha,scope=app'
    """
    fields = _parts(written)
    if fields is None or [one.partition("=")[0].lower() for one in fields].count(key) != 1:
        return ""
    changed = [
        f"{one.partition('=')[0]}={after}" if _is(one, key) and one.partition("=")[2] == value else one
        for one in fields
    ]
    return ",".join(changed) if changed != fields else ""


def changed_keys(written: str, names: Mapping[str, str]) -> str:
    """Rename keys, or take them out where the new name is empty.

    Examples
    --------
    >>> changed_keys("type=local,dest=cache,mode=max", {"dest": "src", "mode": ""})
    'type=local,src=cache'
    """
    fields = _parts(written)
    if fields is None or "=" not in written:
        return ""
    changed = []
    for one in fields:
        key, equals, value = one.partition("=")
        after = names.get(key.lower(), key)
        if after:
            changed.append(f"{after}{equals}{value}")
    text = ",".join(changed)
    return text if changed and text != written else ""


def _is(one: str, key: str) -> bool:
    return one.partition("=")[0].lower() == key
