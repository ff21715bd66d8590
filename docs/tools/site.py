"""The site of the documentation: what it cannot link, because it lies outside of ``docs/``, is shown as its name."""

from __future__ import annotations

import posixpath
import re

__all__ = ["without_outside_links"]

_LINK = re.compile(r"(?<!!)\[(?P<label>[^\]\n]+)\]\((?P<target>\.\./[^)\s]*)\)")


def without_outside_links(_app: object, page: str, source: list[str]) -> None:
    """Take links that lead out of the folder from a page, as a listener of Sphinx's ``source-read``.

    Parameters
    ----------
    page : str
        Such as ``tutorials/fleet``.
    source : list of str
        The page's text; changed in place.

    Examples
    --------
    >>> text = ["[a](../ops.md), [b](../../queries/)"]
    >>> without_outside_links(None, "tutorials/fleet", text)
    >>> text
    ['[a](../ops.md), b']
    """
    folder = posixpath.dirname(page)

    def inside(link: re.Match[str]) -> str:
        outside = posixpath.normpath(posixpath.join(folder, link["target"])).startswith("..")
        return link["label"] if outside else link[0]

    source[0] = _LINK.sub(inside, source[0])
