"""What each backend takes, as rules ask for it; the tables are `cachegraph.loaders.specs.keys`."""

from __future__ import annotations

from collections.abc import Collection

from cachegraph.lint.values import Direction
from cachegraph.loaders.specs.keys import KEYS, Key, Values
from cachegraph.loaders.specs.keys import keys_of as every_key

__all__ = [
    "BACKENDS",
    "COMPRESSION",
    "SECRETS",
    "cost_of",
    "export_keys",
    "is_padded",
    "key_named",
    "keys_of",
    "taken",
    "words_of",
]

BACKENDS: Collection[str] = KEYS
"""The types that there are."""

COMPRESSION = frozenset({"compression", "compression-level", "force-compression"})
SECRETS = frozenset({"access_key_id", "ghtoken", "secret_access_key", "session_token", "token"})
"""Keys whose values are credentials."""

_OF_INLINE = frozenset({"mode", "ignore-error"})  # without effect, and told by a rule of its own or not at all
_HARMLESS = frozenset({"repository", "ghtoken"})  # of exports; on imports they mean nothing, and nobody expects more


def keys_of(kind: str, direction: Direction) -> frozenset[str] | None:
    """Give the keys that a backend reads; None if there is no such backend."""
    if kind not in KEYS or (kind == "inline" and direction == "from"):
        return None
    found = {key.name for key in KEYS[kind] if key.counts(direction)}
    return frozenset(found | (_OF_INLINE if kind == "inline" else _HARMLESS if kind == "gha" else frozenset()))


def export_keys(kind: str) -> frozenset[str]:
    """Give the keys of a backend that shape an export and mean nothing on import, but for where it goes to."""
    return frozenset(
        key.name for key in KEYS.get(kind, ()) if not key.reads and key.name != "dest" and key.name not in _HARMLESS
    )


def key_named(kind: str, name: str) -> Key | None:
    """Find a key of a backend."""
    return every_key(kind).get(name)


def words_of(values: Values) -> str:
    """Say in words what a key takes."""
    if values.pattern is None:
        return "true or false" if "true" in values.words else " or ".join(values.words)
    if any(word.endswith(("h", "m")) for word in values.words):
        return "a duration such as 24h or 90m (there is no unit for days)"
    return "a number"


def taken(values: Values, text: str) -> str:
    """Give the word that a text is but for its capitals; empty if there is none."""
    lower = text.lower()
    return lower if values.pattern is None and lower in values.words and lower != text else ""


def cost_of(direction: Direction) -> str:
    """Say what becomes of a build whose cache the daemon refuses."""
    return "the import fails and every step runs" if direction == "from" else "the build fails"


def is_padded(text: str | None) -> bool:
    """Whether a text begins or ends with a blank."""
    return text is not None and text != text.strip()
