"""The line of the build that cures a cause, with the place of the export that is judged."""

from __future__ import annotations

import csv
import shlex
from collections.abc import Mapping

__all__ = ["cache_to", "place"]

_READ_ONLY = frozenset({"digest", "repository"})
"""Keys of a canonical spec that say what was read, and mean nothing to ``--cache-to``."""


def place(spec: str) -> dict[str, str]:
    """Split a canonical spec into its keys and values.

    Parameters
    ----------
    spec : str
        Such as ``type=registry,ref=app:cache``.

    Returns
    -------
    dict of str to str
        Empty where it is no such spec.
    """
    try:
        fields = next(csv.reader([spec]), [])
    except csv.Error:  # a line end in a name
        return {}
    pairs = [field.partition("=") for field in fields]
    return {key: value for key, equals, value in pairs if equals} if all(equals for _, equals, _ in pairs) else {}


def cache_to(spec: str, *, inline: bool) -> str | None:
    """Give the option that exports the whole cache to where it was read from, or of an inline cache, beside the image.

    Parameters
    ----------
    spec : str
        Canonical spec of the export.
    inline : bool
        Whether it is an image with inline cache: a cache must not take its place.

    Returns
    -------
    str or None
        None for a place that BuildKit cannot export to, such as a bare config.

    Examples
    --------
    >>> cache_to("type=registry,ref=registry.example.com/app:latest", inline=True)
    '--cache-to type=registry,ref=registry.example.com/app:latest-cache,mode=max'
    """
    attrs = place(spec)
    kind = attrs.pop("type", "")
    attrs = {key: value for key, value in attrs.items() if key not in _READ_ONLY}
    match kind:
        case "registry" if attrs.get("ref"):
            made = {"ref": _beside(attrs["ref"]) if inline else attrs["ref"]}
        case "local" if attrs.get("src"):
            made = {"dest": attrs["src"].rstrip("/") + "-cache" if inline else attrs["src"]}
            if not inline and attrs.get("tag", "latest") != "latest":
                made["tag"] = attrs["tag"]
        case "s3" | "azblob":
            made = attrs
        case "gha":
            made = {"scope": attrs["scope"]} if attrs.get("scope") else {}
        case _:
            return None
    return f"--cache-to {shlex.quote(_written(kind, {**made, 'mode': 'max'}))}"


def _beside(ref: str) -> str:
    """Name a tag for the cache of an image; a tag that says that it is for a cache stays."""
    name = ref.partition("@")[0]
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        return f"{name}:cache"
    return name if "cache" in tag else f"{repository}:{tag[:122]}-cache"


def _written(kind: str, attrs: Mapping[str, str]) -> str:
    fields = [f"type={kind}", *(f"{key}={value}" for key, value in attrs.items())]
    return ",".join(_quoted(field) for field in fields)


def _quoted(field: str) -> str:
    return '"' + field.replace('"', '""') + '"' if set(field) & set(',"') else field
