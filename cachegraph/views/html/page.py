"""Pages that need nothing else and ask nobody: style, script and data inside, and a policy that lets in nothing more.

What an export says is text that a template escapes, or data in JSON, which the script writes into text nodes. Should
something live slip through all the same, the policy runs no script and no style but the two that are named by hash.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import Any

from cachegraph.text.clean import json_safe
from cachegraph.text.render import render

__all__ = ["data_json", "data_script", "drawing_script", "page", "resource"]

_PLAIN = 200_000
"""Characters of data that a page holds as they are; more are compressed, to a third or so."""

_ROOM = "cachegraph.views.html"


@cache
def resource(name: str) -> str:
    """Read a style sheet or a script that comes with this package.

    Parameters
    ----------
    name : str
    """
    return resources.files(_ROOM).joinpath(name).read_text("utf-8")


def data_script(root: str, value: object, *, report: str = "") -> str:
    """Write the element that holds the data of a drawing.

    Parameters
    ----------
    root : str
        Id of the element that the drawing goes into.
    value : object
        Made of what JSON knows.
    report : str
        Id of the part of a report that it belongs to.

    Returns
    -------
    str
        HTML: JSON in which nothing is markup, or, of much data, Base64 of its zlib stream.
    """
    import zlib

    text = data_json(value)
    of = f' data-report="{report}"' if report else ""
    if len(text) <= _PLAIN:
        return f'<script type="application/json" data-drawing="{root}"{of}>{text}</script>'
    packed = base64.b64encode(zlib.compress(text.encode())).decode()
    return f'<script type="application/zlib" data-drawing="{root}"{of}>{packed}</script>'


def drawing_script() -> str:
    """Give the script that draws, and shows data in the page by itself."""
    return "".join(map(resource, ("rules.js", "layout.js", "drawing.js")))


def data_json(value: object) -> str:
    r"""Write data for a page as JSON that nothing in a page takes for markup.

    Parameters
    ----------
    value : object
        Made of what JSON knows.

    Examples
    --------
    >>> data_json({"name": "</script><!--"})
    '{"name":"\\u003c/script\\u003e\\u003c!--"}'
    """
    import json

    text = json_safe(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def page(
    template: str,
    *,
    styles: str,
    scripts: str,
    asks: bool = False,
    **values: Any,  # noqa: ANN401 - whatever the template takes
) -> str:
    """Fill in a page.

    Parameters
    ----------
    template : str
        In this package, or with the name of its own before a slash; it extends ``page.html.jinja``.
    styles, scripts : str
        All of them: the policy lets in no others.
    asks : bool
        Whether the page's script asks the server that the page came from.
    **values
        For the template.

    Returns
    -------
    str
        HTML.
    """
    from markupsafe import Markup

    connect = "; connect-src 'self'" if asks else ""
    policy = (
        f"default-src 'none'; style-src '{_hash(styles)}'; script-src '{_hash(scripts)}'; "
        f"base-uri 'none'; form-action 'none'{connect}"
    )
    place = template if "/" in template else f"{_ROOM}/{template}"
    return render(place, policy=policy, styles=Markup(styles), scripts=Markup(scripts), **values)  # noqa: S704 - our own files


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"sha256-{digest}"
