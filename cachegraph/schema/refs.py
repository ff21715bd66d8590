"""Short names of exports: what people call a cache when they talk about it."""

from __future__ import annotations

import re

__all__ = ["short_ref"]

_NAMING = ("ref", "name", "src", "scope")
"""Attributes of a spec that name a cache, the most telling first."""


def short_ref(source: str, platform: str | None = None) -> str:
    """Name an export as people do.

    Parameters
    ----------
    source : str
        As `cachegraph.core.model.CacheExport` has it.
    platform : str, optional
        Of an inline cache's image.

    Examples
    --------
    >>> short_ref("type=registry,ref=registry.example.com/team/app:cache")
    'app:cache'
    >>> short_ref("type=local,src=/var/cache/web,digest=sha256:45feb6dfaaa202c398440bad24ef9137", "linux/amd64")
    'web linux/amd64'
    >>> short_ref("./configs/web.json")
    'web.json'
    """
    attributes = dict(re.findall(r"(?:^|,)(\w[\w.-]*)=([^,]*)", source))
    named = next((attributes[name] for name in _NAMING if attributes.get(name)), source)
    named = re.sub(r"@sha256:[0-9a-f]+$", "", named).rstrip("/")
    return f"{named.rpartition('/')[2] or named} {platform or ''}".rstrip()
