"""The Cypher twins of the questions: all of a file but its body is made of the question.

``queries/NAME.cypher`` begins with what the question says of itself and the exports that are asked, and ends with the
severity, the columns and their order. Between the two stands the body, which is written by hand: it takes ``e``, an
export, and names every column of the finding, and what the severity and the order need besides.

``python -m docs.tools.pages docs`` writes the files; a test holds that they are current.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from cachegraph.queries.base import Query
from docs.tools.docstrings import attributes

__all__ = ["FOLDER", "body", "columns", "twin"]

FOLDER = Path(__file__).parent.parent.parent / "queries"

_ASKED = """WITH {export: null} AS param
MATCH (e:Export {complete: true})
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
"""
_BODY = re.compile(rf"{re.escape(_ASKED)}(?P<body>.*?)^RETURN .*\Z", re.DOTALL | re.MULTILINE)
_WIDTH = 120


def columns(query: Query[Any]) -> dict[str, str]:
    """Say what each column of a twin means: severity and export first, then the finding's other fields.

    Parameters
    ----------
    query : Query
    """
    meanings = attributes(query.finding)
    names = [
        "severity",
        "export",
        *(name for name in query.columns if name not in ("query", "severity", "export", "message")),
    ]
    return {name: re.sub(r"\bNone\b", "null", meanings[name]) for name in names}


def body(text: str) -> str:
    """Give the part of a file that is written by hand.

    Parameters
    ----------
    text : str
        Of the whole file; of a new one, the body alone.
    """
    found = _BODY.search(text)
    return found["body"] if found else text


def twin(query: Query[Any], text: str) -> str:
    """Write a question's file around its body.

    Parameters
    ----------
    query : Query
    text : str
        The file as it is, or the body of a new one.
    """
    own = columns(query)
    lines = [
        f"// title: {query.heading}",
        f"// question: {query.title}",
        "// parameters:",
        "//   export: id of an export, or source of current ones; null for all current ones",
        "// columns:",
        *(f"//   {name}: {meaning}" for name, meaning in own.items()),
        f"// severity: {query.severity}",
    ]
    severity = query.severities.cypher.replace("\n", "\n       ")
    named = "severity" if severity == "severity" else f"{severity} AS severity"
    returned = _wrapped([named, "e.id AS export", *list(own)[2:]])
    order = ", ".join(["e.source", "e.platform", "e.id", *query.order])
    return "\n".join([*lines, "", f"{_ASKED}{body(text).strip()}", f"RETURN {returned}", f"ORDER BY {order};", ""])


def _wrapped(items: list[str]) -> str:
    """Put items between commas, in lines that are not too long."""
    lines = [""]
    for number, item in enumerate(items):
        text = item + ("," if number < len(items) - 1 else "")
        last = lines[-1].rpartition("\n")[2]
        if lines[-1] and (("\n" in lines[-1]) or len(last) + len(text) + 8 > _WIDTH):
            lines.append(text)
        else:
            lines[-1] = f"{lines[-1]} {text}".strip()
    return "\n       ".join(lines)
