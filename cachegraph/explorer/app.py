"""The server: a read-only JSON API, and the pages that people open. It listens on loopback, and answers nobody else.

A page of another site can make a browser ask a server on loopback. So the ``Host`` header must name loopback (else a
name that resolves to it would do), nothing is allowed across origins, and there is nothing that changes anything.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse

from cachegraph import __version__
from cachegraph.errors import CacheGraphError, UnknownNameError
from cachegraph.explorer import models
from cachegraph.explorer.fleet import Fleet
from cachegraph.explorer.kept import KeptPages
from cachegraph.explorer.pages import export_page, fleet_page, overview_page, question_page
from cachegraph.explorer.shelf import Shelf, Shown

__all__ = ["LOOPBACK", "make_app"]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
"""Hosts that a request may name."""

_PAGE = 200
_MOST = 1000

After = Annotated[int, Query(ge=0, le=2**31, description="Records of a lower number are left out.")]
Limit = Annotated[int, Query(ge=1, le=_MOST)]
ExportId = Annotated[str, Path(max_length=200)]
RecordIndex = Annotated[int, Path(ge=0, le=2**31)]
Search = Annotated[str, Query(max_length=200, description="Part of a number, digest or name, in any case.")]

_TROUBLE: dict[int | str, dict[str, Any]] = {
    404: {"model": models.Trouble, "description": "There is no such thing."},
    422: {"model": models.Trouble, "description": "A value that makes no sense."},
}
_FLEET: dict[int | str, dict[str, Any]] = {**_TROUBLE, 502: {"model": models.Trouble, "description": "Neo4j's words."}}


def make_app(shelf: Shelf, fleet: Fleet | None = None) -> FastAPI:
    """Make the application.

    Parameters
    ----------
    shelf : Shelf
        Exports to look into; may be empty.
    fleet : Fleet, optional
        A Neo4j to ask.
    """
    app = FastAPI(
        title="cachegraph", version=__version__, docs_url=None, redoc_url=None, description="Build caches, read-only."
    )
    app.middleware("http")(_guarded)
    app.exception_handler(CacheGraphError)(_told)
    app.exception_handler(RequestValidationError)(_invalid)
    _add_exports(app, shelf)
    _add_fleet(app, fleet)
    _add_pages(app, shelf, fleet)
    return app


async def _guarded(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    host = request.headers.get("host", "")
    name, colon, port = (host, "", "") if host.endswith("]") else host.rpartition(":")
    if (name if colon else host) not in LOOPBACK or not (port.isdecimal() or not colon):
        return JSONResponse({"detail": "this server answers requests to 127.0.0.1 or localhost only"}, 403)
    response = await answer(request)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _told(_: Request, error: Exception) -> Response:
    assert isinstance(error, CacheGraphError)
    status = 404 if isinstance(error, UnknownNameError) else 502
    return JSONResponse({"detail": error.message, "hint": error.hint}, status)


def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    said = "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors())
    return JSONResponse({"detail": said, "hint": None}, 422)


def _add_exports(app: FastAPI, shelf: Shelf) -> None:
    @app.get("/api/exports")
    def exports() -> models.Exports:
        """List the exports, worst first."""
        return models.Exports(total=len(shelf), items=[_export(one) for one in shelf])

    @app.get("/api/exports/{export}", responses=_TROUBLE)
    def one_export(export: ExportId) -> models.Export:
        """Give an export."""
        return _export(shelf.get(export))

    @app.get("/api/exports/{export}/records", responses=_TROUBLE)
    def records(export: ExportId, after: After = 0, limit: Limit = _PAGE, search: Search = "") -> models.Records:
        """Give records, a page at a time."""
        shown = shelf.get(export)
        found = list(shown.found(search))
        page = [index for index in found if index >= after][: limit + 1]
        return models.Records(
            total=len(found),
            next=page[limit] if len(page) > limit else None,
            items=[_record(shown, index) for index in page[:limit]],
        )

    @app.get("/api/exports/{export}/records/{record}", responses=_TROUBLE)
    def one_record(export: ExportId, record: RecordIndex) -> models.Details:
        """Give a record with its inputs, results and findings."""
        return _details(shelf.get(export), record)

    @app.get("/api/exports/{export}/findings", responses=_TROUBLE)
    def findings(export: ExportId, severity: models.Severity | None = None, limit: Limit = _PAGE) -> models.Findings:
        """Give what the questions say, worst first."""
        found = shelf.get(export).findings_about(severity)
        return models.Findings(total=len(found), items=[_finding(one) for one in found[:limit]])


def _add_fleet(app: FastAPI, fleet: Fleet | None) -> None:
    def asked() -> Fleet:
        if fleet is None:
            raise UnknownNameError("no Neo4j is served", hint="start with cachegraph serve --neo4j")
        return fleet

    @app.get("/api/fleet", responses=_FLEET)
    def questions() -> list[models.Question]:
        """List the questions about all that the Neo4j holds."""
        return [
            models.Question(name=one.name, title=one.title, question=one.question, columns=dict(one.columns))
            for one in asked().questions
        ]

    @app.get("/api/fleet/{name}", responses=_FLEET)
    def answer(name: Annotated[str, Path(max_length=100)], limit: Limit = _PAGE) -> models.Rows:
        """Ask one of them, with the values that its file has."""
        columns, rows = asked().ask(name, limit + 1)
        return models.Rows(columns=columns, rows=rows[:limit], truncated=len(rows) > limit)


def _add_pages(app: FastAPI, shelf: Shelf, fleet: Fleet | None) -> None:
    kept = KeptPages()

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    def overview() -> str:
        return overview_page(shelf, fleet)

    @app.get("/exports/{export}", response_class=HTMLResponse, include_in_schema=False)
    def export(
        export: ExportId,
        record: Annotated[int | None, Query(ge=0, le=2**31)] = None,
        up: Annotated[int, Query(ge=0, le=50)] = 3,
        down: Annotated[int, Query(ge=0, le=50)] = 3,
    ) -> HTMLResponse:
        shown = shelf.get(export)
        asked = (shown.graph.id, record, up, down)
        return HTMLResponse(kept.get(asked, lambda: export_page(shown, record, up, down)))

    if fleet is not None:

        @app.get("/fleet", response_class=HTMLResponse, include_in_schema=False)
        def questions() -> str:
            return fleet_page(fleet)

        @app.get("/fleet/{name}", response_class=HTMLResponse, include_in_schema=False)
        def question(name: Annotated[str, Path(max_length=100)]) -> str:
            return question_page(fleet, name, _MOST)


def _export(shown: Shown) -> models.Export:
    export = shown.graph.export
    return models.Export(
        id=shown.graph.id,
        source=export.source,
        platform=export.platform,
        title=shown.title,
        records=len(shown.graph),
        layers=len(export.config.layers),
        verdict=shown.verdict.to_dict(),
    )


def _record(shown: Shown, index: int) -> models.Record:
    graph = shown.graph
    naming = graph.naming(index)
    return models.Record(
        index=index,
        digest=graph.export.config.records[index].digest,
        name=naming.name or None,
        op=naming.op,
        state=shown.states[index],
        loadable=bool(graph.loadable[index]),
    )


def _details(shown: Shown, index: int) -> models.Details:
    view = shown.look(index)
    return models.Details(
        **_record(shown, index).model_dump(),
        slots=[
            [
                models.Alternative(record=one.record, selector=one.selector, name=one.title, state=one.state)
                for one in slot
            ]
            for slot in view.slots
        ],
        results=[list(result.layers) for result in view.results],
        dependents=list(view.dependents[:_MOST]),
        downstream=view.downstream,
        downstream_loadable=view.downstream_loadable,
        findings=[_finding(finding) for finding in view.findings],
    )


def _finding(finding: Any) -> models.Finding:  # noqa: ANN401 - a finding of any question
    return models.Finding(
        code=finding.code,
        question=finding.query,
        severity=finding.severity,
        record=finding.record,
        message=finding.message,
    )
