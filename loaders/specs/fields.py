"""What loaders ask of a spec's keys: which there are, one that must be there, one that is true or false, an address."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from cachegraph.errors import SpecError
from cachegraph.loaders.base import Spec
from cachegraph.loaders.specs.keys import FALSE, TRUE
from cachegraph.text.nearest import did_you_mean

__all__ = ["IRRELEVANT", "bare_url", "check_keys", "flag", "required"]

IRRELEVANT = frozenset(
    {
        "compression",
        "compression-level",
        "force-compression",
        "ignore-error",
        "image-manifest",
        "mode",
        "oci-artifact",
        "oci-mediatypes",
        "reset",
        "timeout",
    }
)
"""Keys that shape a build or an export and say nothing about where it is."""


def check_keys(spec: Spec, known: Collection[str]) -> None:
    """Refuse keys that a loader of our own does not know: of BuildKit's backends every key is taken, as it takes them.

    Parameters
    ----------
    spec : Spec
    known : collection of str
        Keys that the loader reads; `IRRELEVANT` ones are passed over.

    Raises
    ------
    SpecError
        Names the key, the known ones, and the nearest of them.
    """
    for key in spec.attrs:
        if key not in known and key not in IRRELEVANT:
            raise SpecError(
                f"{spec.text}: type={spec.type} has no key {key}", hint=did_you_mean(key, sorted(known), "known keys")
            )


def required(spec: Spec, key: str, example: str) -> str:
    """Give the value of a key that must be there.

    Parameters
    ----------
    spec : Spec
    key : str
    example : str
        Shown when it is missing, such as ``src=./cache``.

    Raises
    ------
    SpecError
        Missing or empty.
    """
    value = spec.attrs.get(key, "")
    if not value:
        fails: Literal["fail"] | None = "fail" if spec.type in ("local", "registry") else None
        raise SpecError(f"{spec.text}: {key} is missing", hint=f"add {example}", buildkit=fails)
    return value


def flag(spec: Spec, key: str) -> bool:
    """Give the value of a key that is true or false, as Go writes that; false where it is missing.

    Raises
    ------
    SpecError
        Neither.
    """
    value = spec.attrs.get(key, "false")
    if value not in TRUE | FALSE:
        raise SpecError(f"{spec.text}: {key} is {value!r}", hint="write true or false")
    return value in TRUE


def bare_url(url: str, key: str) -> str:
    """Return a URL without user, password, query and fragment: what may be shown of it.

    Parameters
    ----------
    url : str
    key : str
        Where in the spec it is, for the error.

    Raises
    ------
    SpecError
        It is none.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise SpecError(f"{key} is not a URL") from None
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
