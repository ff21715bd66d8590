"""The pages of the explorer: an overview, an export's report or its records by search, questions of a fleet."""

from __future__ import annotations

import json
from importlib import resources

from cachegraph import __version__
from cachegraph.explorer.fleet import Fleet
from cachegraph.explorer.shelf import Shelf, Shown
from cachegraph.schema.focus import Window, around
from cachegraph.text.clean import one_line
from cachegraph.verdict.words import facts
from cachegraph.views.html.page import page, resource
from cachegraph.views.html.report import Export, report, worded

__all__ = ["export_page", "fleet_page", "overview_page", "question_page"]

_ROOM = "cachegraph.explorer"
_WHOLE = 5_000
"""Records up to which an export is drawn whole; of a larger one a page looks at the surroundings of a record."""


def _page(template: str, **values: object) -> str:
    script = resources.files(_ROOM).joinpath("explorer.js").read_text("utf-8")
    return page(
        f"{_ROOM}/{template}",
        styles=resource("page.css") + resource("report.css"),
        scripts=script,
        asks=True,
        version=__version__,
        **values,
    )


def overview_page(shelf: Shelf, fleet: Fleet | None) -> str:
    """Write the first page: every export with its verdict, worst first."""
    rows = [
        {"id": one.graph.id, "title": one.title, "verdict": one.verdict, "facts": facts(one.verdict)} for one in shelf
    ]
    return _page("overview.html.jinja", title="Build caches", rows=rows, fleet=fleet, unread=worded(shelf.unread))


def export_page(shown: Shown, record: int | None, up: int, down: int) -> str:
    """Write an export's page: its report; of a large one, the records by search, and the surroundings of one.

    Parameters
    ----------
    shown : Shown
    record : int or None
        Whose surroundings are wanted.
    up, down : int
        How far they reach, in records.

    Raises
    ------
    cachegraph.errors.UnknownNameError
        No such record.
    """
    graph = shown.graph
    if record is not None:
        shown.look(record)
        graph = Window(graph, around(graph, record, up, down))
    elif len(graph) > _WHOLE:
        return _page("records.html.jinja", title=shown.title, shown=shown, facts=facts(shown.verdict))
    return report([Export(graph=graph, verdict=shown.verdict, findings=shown.findings, looked_at=record)])


def fleet_page(fleet: Fleet) -> str:
    """Write the list of questions about all that a Neo4j holds."""
    return _page("fleet.html.jinja", title="The fleet", fleet=fleet)


def question_page(fleet: Fleet, name: str, limit: int) -> str:
    """Write the answer to one of them.

    Raises
    ------
    cachegraph.errors.UnknownNameError
        No such question.
    """
    columns, rows = fleet.ask(name, limit + 1)
    asked = next(one for one in fleet.questions if one.name == name)
    cells = [[_cell(value) for value in row] for row in rows[:limit]]
    return _page(
        "question.html.jinja", title=asked.title, asked=asked, columns=columns, rows=cells, more=len(rows) > limit
    )


def _cell(value: object) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return one_line(text)
