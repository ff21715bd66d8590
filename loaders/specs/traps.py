"""What a cache string says and BuildKit does not hear: keys and values that it passes over without a word.

::

    type=registry,ref=app:cache,mod=max    BuildKit ignores `mod=max`: mode is min; did you mean `mode=max`?
    type=gha, scope=web                    the blank before `scope` makes BuildKit use scope `buildkit`
    type=GHA                               BuildKit knows no type `GHA`: the build goes on without this cache

The rules are in `cachegraph.loaders.specs.keys`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cachegraph.errors import encodable, masked
from cachegraph.loaders.specs.entries import CacheEntry
from cachegraph.loaders.specs.keys import FALSE, KEYS, TRUE, TYPES, Direction, Key, keys_of
from cachegraph.text.nearest import nearest

__all__ = ["Trap", "TrapCode", "traps"]

TrapCode = Literal[
    "blank", "missing", "no-effect", "other-type", "quotes", "repeated", "unknown-key", "unknown-type", "unknown-value"
]
"""What is wrong: a blank that makes another key or value, a key that must be there, one that means nothing here, one of
another type, quotes that are part of a value, a key given twice, a key, type or value that does not exist."""

_MISSING = {
    ("registry", "from"): ("ref", "registry cache importer requires ref"),
    ("registry", "to"): ("ref", "registry cache exporter requires ref"),
    ("local", "from"): ("src", "local cache importer requires src"),
    ("local", "to"): ("dest", "local cache exporter requires dest"),
}
_QUOTED = re.compile(r"""(["'`\u2018\u2019\u201c\u201d]).*(["'`\u2018\u2019\u201c\u201d])""", re.DOTALL)
_MOST = 60  # characters of a key or a value that are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Trap:
    """One thing that BuildKit takes otherwise than whoever wrote it meant.

    Attributes
    ----------
    code : TrapCode
    key : str
        As the builder got it: lowered, not trimmed. Empty if it is about the type or the whole.
    message : str
        What BuildKit makes of it, what that costs, what to write; without a full stop, without credentials.
    severity : {"warning", "note"}
        A note costs nothing: what was written has no effect, and nothing is lost by that.
    instead : str or None
        The field to write, such as ``mode=max``.
    """

    code: TrapCode
    key: str
    message: str
    severity: Literal["warning", "note"] = "warning"
    instead: str | None = None

    @property
    def sentence(self) -> str:
        """The message with its full stop."""
        return self.message if self.message.endswith("?") else f"{self.message}."


def traps(entry: CacheEntry, direction: Direction | None = None) -> tuple[Trap, ...]:
    """Find what BuildKit ignores, or takes otherwise than meant.

    Parameters
    ----------
    entry : CacheEntry
    direction : {"from", "to"}, optional
        Where it stands. Without, only what is wrong in both places is told.

    Returns
    -------
    tuple of Trap
        In the order of the keys; of the type first, of missing keys last.

    Examples
    --------
    >>> from cachegraph.loaders.specs import read_cache_entries
    >>> (entry,) = read_cache_entries("type=gha, scope=web")
    >>> traps(entry, "from")[0].message
    'the blank before `scope` makes BuildKit use scope `buildkit`; write `scope=web`'
    """
    return tuple(_traps(entry, direction))


def _traps(entry: CacheEntry, direction: Direction | None) -> Iterator[Trap]:
    if entry.type not in KEYS or (direction == "from" and entry.type == "inline"):
        yield _type(entry, direction)
        return
    if "type" in entry.repeated:
        yield _repeated("type", entry.type)
    known = keys_of(entry.type)
    for name, value in entry.attrs.items():
        key = known.get(name)
        if key is None:
            yield _unknown(entry, name, value, direction)
        elif not key.counts(direction):
            yield _without_effect(entry, key, direction)
        else:
            if name in entry.repeated:
                yield _repeated(name, value)
            yield from _value(key, value, direction)
    yield from _together(entry, direction)


def _repeated(name: str, value: str) -> Trap:
    return Trap(
        code="repeated",
        key=name,
        message=f"`{name}` is given more than once, and the last one counts: `{_field(name, value)}`",
    )


def _type(entry: CacheEntry, direction: Direction | None) -> Trap:
    if entry.type == "inline":
        return Trap(
            code="unknown-type",
            key="",
            message="BuildKit knows no `type=inline` to read, and the build goes on without this cache: inline cache is"
            " read with `type=registry` and the image's reference",
            instead="type=registry,ref=IMAGE",
        )
    follows = {
        "from": "the build goes on without this cache",
        "to": "the build fails",
        None: "a build goes on without it where it is read, and fails where it is written",
    }[direction]
    near = nearest(entry.type.strip(), TYPES[direction or "to"])
    meant = f"; did you mean `type={near}`?" if near else ""
    why = ", with its blank" if entry.type.strip() == near else ""
    return Trap(
        code="unknown-type",
        key="",
        message=f"BuildKit knows no type `{_shown(entry.type)}`{why}: {follows}{meant}",
        instead=f"type={near}" if near else None,
    )


def _unknown(entry: CacheEntry, name: str, value: str, direction: Direction | None) -> Trap:
    """Say what becomes of a key that the type does not know."""
    known = {key: which for key, which in keys_of(entry.type).items() if which.counts(direction)}
    bare = name.strip()
    if entry.type == "inline":
        return _of_inline(name, value)
    if bare != name and bare in known:
        return _blank(entry, name, known[bare], value)
    near = nearest(bare, known)
    if near is not None and (near == bare or not _elsewhere(entry, bare, direction)):
        instead = _field(near, value)
        which = "" if near in entry.attrs else _without(known[near])
        return Trap(
            code="unknown-key",
            key=name,
            message=f"BuildKit ignores `{_field(name, value)}`{which}; did you mean `{instead}`?",
            instead=instead,
        )
    if (other_way := nearest(bare, keys_of(entry.type))) is not None:
        return Trap(
            code="unknown-key",
            key=name,
            message=f"BuildKit ignores `{_field(name, value)}`, and `{other_way}` means nothing on --cache-{direction}",
            severity="note",
        )
    if other := _elsewhere(entry, bare, direction):
        return Trap(
            code="other-type",
            key=name,
            message=f"BuildKit ignores `{_field(name, value)}`: `{bare}` is a key of type={', '.join(other)},"
            f" not of type={entry.type}",
        )
    return Trap(
        code="unknown-key",
        key=name,
        message=f"BuildKit ignores `{_field(name, value)}`: type={entry.type} has no such key",
    )


def _of_inline(name: str, value: str) -> Trap:
    if name.strip() == "mode" and value.strip().lower() == "min":
        return Trap(
            code="no-effect",
            key=name,
            message="`mode` has no effect with type=inline, which always keeps the final image's layers only",
            severity="note",
        )
    what = (
        "an inline cache keeps the final image's layers only; for all steps write"
        " `type=registry,ref=NAME:TAG,mode=max` with a tag of its own"
        if name.strip() == "mode"
        else "type=inline has no keys; the cache goes into the image"
    )
    return Trap(code="no-effect", key=name, message=f"BuildKit ignores `{_field(name, value)}`: {what}")


def _blank(entry: CacheEntry, name: str, key: Key, value: str) -> Trap:
    where = "before" if name != name.lstrip() else "behind"
    instead = _field(key.name, value)
    if key.name in entry.attrs:
        follows = f"ignore `{_field(name, value)}`"
    elif key.default:
        follows = f"use {key.name} `{key.default}`"
    else:
        follows = _infinitive(key.otherwise) if key.otherwise else f"ignore `{_field(name, value)}`"
    return Trap(
        code="blank",
        key=name,
        message=f"the blank {where} `{key.name}` makes BuildKit {follows}; write `{instead}`",
        instead=instead,
    )


def _without(key: Key) -> str:
    """Say what holds without a key, to follow what BuildKit ignores."""
    return f": {key.name} is {key.default}" if key.default else f": it {key.otherwise}" if key.otherwise else ""


def _infinitive(phrase: str) -> str:
    """Turn ``takes the token`` into ``take the token``."""
    verb, _, rest = phrase.partition(" ")
    stem = {"has": "have"}.get(verb, verb.removesuffix("s"))
    return f"{stem} {rest.replace('the build fails', 'fail the build')}".rstrip()


def _elsewhere(entry: CacheEntry, name: str, direction: Direction | None) -> list[str]:
    """List the other types that know a key."""
    return [
        kind
        for kind in KEYS
        if kind != entry.type and (key := keys_of(kind).get(name)) is not None and key.counts(direction)
    ]


def _without_effect(entry: CacheEntry, key: Key, direction: Direction | None) -> Trap:
    option = f"--cache-{direction}"
    other = {"src": "dest", "dest": "src"}.get(key.name)
    if other is not None and not entry.attrs.get(other):
        return Trap(
            code="no-effect",
            key=key.name,
            message=f"`{key.name}` means nothing on {option}, and `{other}` is missing: the build fails",
            instead=_field(other, entry.attrs[key.name]),
        )
    return Trap(code="no-effect", key=key.name, message=f"`{key.name}` means nothing on {option}", severity="note")


def _value(key: Key, value: str, direction: Direction | None) -> Iterator[Trap]:
    """Say what becomes of a value."""
    field = _field(key.name, value)
    if key.name == "tag" and not value:
        yield Trap(
            code="unknown-value",
            key="tag",
            message="an empty `tag` is no tag: BuildKit refuses it, and the build fails; leave `tag` out for `latest`",
        )
        return
    if key.values is None:
        bare = value.strip()
        if bare != value:
            where = "before" if value != value.lstrip() else "behind"
            yield Trap(
                code="blank",
                key=key.name,
                message=f"the blank {where} the value is part of it: `{field}`; write `{_field(key.name, bare)}`",
                instead=_field(key.name, bare),
            )
        elif len(value) > 1 and _QUOTED.fullmatch(value):
            yield Trap(
                code="quotes",
                key=key.name,
                message=f"the quotes in `{field}` are part of the value; write `{_field(key.name, value[1:-1])}`",
                instead=_field(key.name, value[1:-1]),
            )
        return
    if key.values.take(value):
        return
    near = nearest(value.strip(), key.values.words) or _yes_or_no(value, key)
    words = key.values.words[:4] if "true" not in key.values.words else ("true", "false")
    meant = (
        f"did you mean `{key.name}={near}`?"
        if near and not key.values.pattern
        else f"write `{key.name}={words[0]}`"
        if len(words) == 1
        else f"write {' or '.join(f'`{word}`' for word in words)}"
    )
    if not key.values.refused:
        message = f"BuildKit ignores `{field}`{_without(key)}; {meant}"
    elif direction == "from":
        message = f"BuildKit refuses `{field}`, and the build goes on without this cache; {meant}"
    elif direction == "to" or not key.reads:
        message = f"BuildKit refuses `{field}`, and the build fails; {meant}"
    else:
        message = f"BuildKit refuses `{field}`; {meant}"
    yield Trap(
        code="unknown-value",
        key=key.name,
        message=message,
        instead=f"{key.name}={near}" if near and not key.values.pattern else None,
    )


def _yes_or_no(value: str, key: Key) -> str | None:
    if key.values is None or "true" not in key.values.words:
        return None
    return {"yes": "true", "y": "true", "on": "true", "no": "false", "n": "false", "off": "false"}.get(
        value.strip().lower()
    )


def _together(entry: CacheEntry, direction: Direction | None) -> Iterator[Trap]:
    """Say what is missing, and which keys do not go together."""
    attrs = entry.attrs
    for where in ("from", "to") if direction is None else (direction,):
        name, words = _MISSING.get((entry.type, where), ("", ""))
        other = {"src": "dest", "dest": "src"}.get(name)
        given = attrs.get(name) or (direction is None and other and attrs.get(other))
        said = any(key != name and key.strip() == name for key in attrs) or (other is not None and other in attrs)
        if name and not given and not said:
            yield Trap(
                code="missing",
                key=name,
                message=f"`{name}` is missing: the build fails ({words})",
                instead=f"{name}={'REF' if name == 'ref' else 'DIR'}",
            )
            break
    if entry.type == "gha" and attrs.get("token") == "":
        yield Trap(
            code="unknown-value",
            key="token",
            message="an empty `token` counts as given: buildx leaves this cache out without a word; leave `token` out",
        )
    if direction == "from":
        return
    if attrs.get("image-manifest", "") in TRUE and attrs.get("oci-mediatypes", "true") in FALSE:
        yield Trap(
            code="unknown-value",
            key="image-manifest",
            message="`image-manifest=true` needs OCI media types: BuildKit refuses it with"
            f" `{_field('oci-mediatypes', attrs['oci-mediatypes'])}`, and the export fails",
        )


def _field(key: str, value: str) -> str:
    return masked(encodable(f"{_shown(key)}={_shown(value)}"))


def _shown(text: str) -> str:
    """Show a text from outside on one line, and no more of it than tells."""
    line = "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
    return line if len(line) <= _MOST else f"{line[: _MOST - 2]}.."
