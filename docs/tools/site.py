"""The site of the documentation: what Sphinx is told beside its settings.

Links that lead out of ``docs/`` are shown as their names, and pictures stand in the page itself: so they follow its
light and dark theme, can be read by a screen reader and searched, and each mark says on hover what it is.
"""

from __future__ import annotations

import posixpath
import re
from html import escape
from pathlib import Path

__all__ = ["picture", "with_pictures", "without_outside_links"]

_DOCS = Path(__file__).parents[1]
_LINK = re.compile(r"(?<!!)\[(?P<label>[^\]\n]+)\]\((?P<target>\.\./[^)\s]*)\)")
_PICTURE = re.compile(r"^!\[(?P<alt>[^\]]*)\]\((?P<target>[^)\s]*pictures/[^)\s]*\.svg)\)$", re.MULTILINE)
_DARK = re.compile(r"<style>@media \(prefers-color-scheme: dark\) \{(?P<rules>.*?)\n?\}\s*</style>", re.DOTALL)


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


def with_pictures(_app: object, page: str, source: list[str]) -> None:
    """Put pictures into the page, as a listener of Sphinx's ``source-read``.

    Parameters
    ----------
    page : str
    source : list of str
        The page's text; changed in place. A picture is a paragraph of its own.
    """
    folder = (_DOCS / page).parent

    def drawn(found: re.Match[str]) -> str:
        svg = (folder / found["target"]).read_text("utf-8")
        return f"```{{raw}} html\n{picture(svg, ' '.join(found['alt'].split()))}\n```"

    source[0] = _PICTURE.sub(drawn, source[0])


def picture(svg: str, alt: str) -> str:
    """Give a picture as HTML: what it shows in words for those who do not see it, and dark when the page is dark.

    Parameters
    ----------
    svg : str
        As ``graph.plot()`` draws it.
    alt : str

    Returns
    -------
    str
        HTML; what is wider than the page scrolls.
    """
    rules = _DARK.search(svg)
    if rules is None:
        raise ValueError("the drawing brings no dark colours of its own any more")
    chosen = rules["rules"].replace(".cg-svg", 'body[data-theme="dark"] .cg-svg')
    asked = rules["rules"].replace(".cg-svg", 'body:not([data-theme="light"]) .cg-svg')
    style = f"<style>{chosen}\n@media (prefers-color-scheme: dark) {{{asked}}}</style>"
    titled = re.sub(r"<title>.*?</title>", lambda _: f"<title>{escape(alt)}</title>", _DARK.sub("", svg), count=1)
    return f'<div class="picture" role="group" aria-label="Picture">{style}{titled.strip()}</div>'
