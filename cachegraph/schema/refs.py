"""Short names of exports: what people call a cache when they talk about it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

__all__ = ["apart", "short_ref"]

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


def apart(names: Mapping[str, str]) -> dict[str, str]:
    """Tell exports apart that have one short name, such as those of one directory over time.

    Parameters
    ----------
    names : mapping of str to str
        Short names by the exports' ids.

    Returns
    -------
    dict of str to str
        The same; a name that several have is followed by the first digits of the id.

    Examples
    --------
    >>> apart({"0f3a99a1c2": "web", "77d0b1cafe": "web", "c0ffee0123": "app"})
    {'0f3a99a1c2': 'web 0f3a99a1', '77d0b1cafe': 'web 77d0b1ca', 'c0ffee0123': 'app'}
    """
    taken = Counter(names.values())
    return {key: name if taken[name] == 1 else f"{name} {key[:8]}" for key, name in names.items()}
