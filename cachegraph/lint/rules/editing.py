"""Changing the text of an entry as it stands in a file; an empty text means that it cannot be told how."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["changed_field", "changed_keys", "without_blanks"]

_BLANKS = re.compile(r"[ \t]*([,=])[ \t]*")
_EXPRESSION = re.compile(r"\$\{\{.*?\}\}|\$\{[^{}]*\}", re.DOTALL)


def _parts(written: str) -> list[str] | None:
    """Split at commas outside expressions; None for a text with quotes, which change what commas mean."""
    if '"' in _EXPRESSION.sub("", written) or "'" in _EXPRESSION.sub("", written):
        return None
    held: list[str] = []

    def hold(found: re.Match[str]) -> str:
        held.append(found[0])
        return f"\0{len(held) - 1}\0"

    fields = _EXPRESSION.sub(hold, written).split(",")
    return [re.sub(r"\0(\d+)\0", lambda found: held[int(found[1])], field) for field in fields]


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
    changed = ",".join("=".join(part.strip() for part in field.split("=", 1)) for field in fields)
    return changed if changed != written else ""


def changed_field(written: str, key: str, value: str, after: str) -> str:
    """Give a key another value; empty if ``key=value`` does not stand there exactly once.

    Examples
    --------
    >>> changed_field("type=GHA,scope=app", "type", "GHA", "gha")
    'type=gha,scope=app'
    """
    fields = _parts(written)
    if fields is None or [field.partition("=")[0].lower() for field in fields].count(key) != 1:
        return ""
    changed = [
        f"{field.partition('=')[0]}={after}" if _is(field, key) and field.partition("=")[2] == value else field
        for field in fields
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
    for field in fields:
        key, equals, value = field.partition("=")
        after = names.get(key.lower(), key)
        if after:
            changed.append(f"{after}{equals}{value}")
    text = ",".join(changed)
    return text if changed and text != written else ""


def _is(field: str, key: str) -> bool:
    return field.partition("=")[0].lower() == key
