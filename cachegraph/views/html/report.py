"""The report: one page that needs nothing else, with what an export is worth, why, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from cachegraph import __version__
from cachegraph.core.graph import ExportGraph
from cachegraph.errors import CacheGraphError
from cachegraph.queries.base import Finding
from cachegraph.schema.focus import shown
from cachegraph.schema.refs import short_ref
from cachegraph.solver.blast import blast_radius
from cachegraph.solver.causes import Explanation
from cachegraph.solver.diff import Diff
from cachegraph.solver.history_rows import History
from cachegraph.solver.predict import predict
from cachegraph.text.clean import one_line
from cachegraph.text.words import capital, plural, size_text
from cachegraph.verdict.model import Verdict
from cachegraph.verdict.words import facts
from cachegraph.views.drawing.scene import Scene
from cachegraph.views.drawing.svg import svg
from cachegraph.views.drawing.weights import added_bytes
from cachegraph.views.html.areas import areas
from cachegraph.views.html.causes import in_order, told
from cachegraph.views.html.drawing import scene_of
from cachegraph.views.html.page import data_script, drawing_script, page, resource
from cachegraph.views.html.stages import stages

__all__ = ["Compared", "Export", "Setting", "Unread", "report", "worded"]

_DRAWN = 70_000
"""Records that the drawings of a report have together; exports after that have words alone."""
_SOLVED = 7_000
"""Records up to which an export is solved as a build of its own, and what each change costs is counted."""
_NOTES = 1_500
"""Findings about records that a drawing holds, worst first."""
_FINDINGS = 400
"""Findings that a list has; of more it says how many there are."""
_POINTS = 60
"""Exports of a history that the page has, the newest ones."""
_PICTURE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """An export beside an older one.

    Attributes
    ----------
    old : ExportGraph
    diff : Diff
    explanation : Explanation or None
        Why the steps of the newer one ran, had it imported the older one.
    """

    old: ExportGraph
    diff: Diff
    explanation: Explanation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """An export that a report is about.

    Attributes
    ----------
    graph : ExportGraph
    verdict : Verdict
    findings : sequence of Finding
        Worst first.
    history : History or None
        Earlier exports of the same cache, where its store has them.
    compared : Compared or None
    looked_at : int or None
        The record that somebody asked for: the drawing opens with it selected.
    """

    graph: ExportGraph
    verdict: Verdict
    findings: Sequence[Finding]
    history: History | None = None
    compared: Compared | None = None
    looked_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A source that could not be read: what names it, why, what to do."""

    spec: str
    message: str
    hint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is wrong in a file that names caches: where, how bad, by which rule, and what to do."""

    place: str
    severity: str
    code: str
    message: str


def report(
    exports: Sequence[Export], unread: Sequence[Unread] = (), settings: Sequence[Setting] = (), *, now: str = ""
) -> str:
    """Write a report.

    Parameters
    ----------
    exports : sequence of Export
        Of several, an overview comes first; the worst ones come first in it.
    unread : sequence of Unread
    settings : sequence of Setting
        Worst first.
    now : str
        When it is made, for people.

    Returns
    -------
    str
        HTML that asks nobody for anything.
    """
    left, parts = _DRAWN, list[dict[str, Any]]()
    for number, given in enumerate(exports):
        export = replace(given, verdict=in_order(given.verdict, given.graph))
        size = len(shown(export.graph))
        drawn = 0 < size <= left
        left -= size if drawn else 0
        parts.append(_part(number, export, drawn=drawn))
    order = sorted(range(len(exports)), key=lambda number: exports[number].verdict.rank)
    return page(
        "report.html.jinja",
        styles=resource("page.css") + resource("report.css"),
        scripts=drawing_script() + resource("report.js"),
        title=f"Cache report: {_about([part['name'] for part in parts], unread)}",
        exports=parts,
        order=order,
        unread=worded(unread),
        settings=settings,
        version=__version__,
        now=now,
    )


def worded(unread: Sequence[Unread]) -> list[Unread]:
    """Put what could not be read into sentences, each after what names it.

    Parameters
    ----------
    unread : sequence of Unread
    """
    return [
        Unread(
            spec=one_line(one.spec),
            message=_sentence(one.message.removeprefix(f"{one.spec}: ")),
            hint=_sentence(one.hint),
        )
        for one in unread
    ]


def _about(names: Sequence[str], unread: Sequence[Unread]) -> str:
    """Say what a report is about, and what it could not be about."""
    read = names[0] if len(names) == 1 else plural(len(names), "export")
    if not unread:
        return read
    failed = one_line(unread[0].spec) if len(unread) == 1 and not names else plural(len(unread), "source")
    return f"{read}; {failed} could not be read" if names else f"{failed} could not be read"


def _sentence(text: str | None) -> str:
    return capital(one_line(text or "")).rstrip(".")


def _part(number: int, export: Export, *, drawn: bool) -> dict[str, Any]:
    """Gather what the template needs of an export."""
    graph, verdict = export.graph, export.verdict
    own = added_bytes(graph) if drawn else []
    scene = _scene(export, own) if drawn else None
    causes = [told(cause, scene) for cause in verdict.causes]
    part: dict[str, Any] = {
        "id": f"e{number}",
        "name": one_line(short_ref(graph.export.source, graph.export.platform)),
        "source": one_line(f"{graph.export.source} {graph.export.platform or ''}".strip()),
        "verdict": verdict,
        "facts": facts(verdict),
        "causes": causes,
        "findings": export.findings[:_FINDINGS],
        "more_findings": max(0, len(export.findings) - _FINDINGS),
        "history": _history(export.history),
        "compared": _compared(export.compared),
        "scene": scene,
        "nameless": sum(not node.name and node.op == "unknown" for node in scene.nodes if node.slots) if scene else 0,
        "asked": any(cause["nameless"] for cause in causes),
    }
    if scene is not None:
        from markupsafe import Markup

        small = len(scene.fold.marks) <= _PICTURE
        part["picture"] = Markup(svg(scene, colours=False)) if small else ""  # noqa: S704 - escaped when it was made
        part["map"] = areas(scene, own)
        data = scene.to_dict() | {
            "own": [None if node.is_lost else own[node.index] for node in scene.nodes],
            "stages": [[stage.on, stage.steps] for stage in stages(scene.nodes)],
            "selected": export.looked_at is not None,
        }
        part["data"] = Markup(data_script(f"{part['id']}-drawing", data, report=part["id"]))  # noqa: S704 - holds no markup
    return part


def _scene(export: Export, own: Sequence[int | None]) -> Scene:
    graph = export.graph
    place = {record: position for position, record in enumerate(sorted(shown(graph)))}
    notes = [
        (place[finding.record], finding.severity, finding.code, one_line(finding.message))
        for finding in export.findings
        if finding.record is not None and finding.record in place
    ]
    # The drawing opens at what was asked for, else where the list of what to do begins.
    first = next((step for cause in export.verdict.causes for step in cause.steps if step in place), None)
    wanted = first if export.looked_at is None else export.looked_at
    begin = None if wanted is None else place.get(wanted)
    solved = len(graph) <= _SOLVED and graph.import_error is None and graph.export.results_known
    compared = export.compared
    prediction, predicted = None, ""
    try:
        if solved and compared is not None:
            prediction = predict([graph], [[compared.old]])
            predicted = "Had the build imported the older export"
        elif solved:
            prediction, predicted = predict([graph], [[graph]]), "The next build, if nothing changes"
        blast = blast_radius([graph]) if solved and len(graph.links.order) > len(graph.roots) else None
    except CacheGraphError:  # what cannot be solved is left out; the rest of the report stands
        prediction, blast = None, None
    scene = scene_of(
        graph,
        prediction=prediction,
        compared_with=None if compared is None else compared.old,
        blast=blast,
        title=f"Records of {short_ref(graph.export.source, graph.export.platform)}",
        predicted=predicted,
        notes=notes[:_NOTES],
        own=own,
        begin=begin if export.compared is None or export.looked_at is not None else None,
    )
    if compared is not None:
        return scene
    # What the cache holds is what the report is about; what comes of it is one choice further.
    held = [overlay for overlay in scene.overlays if overlay.name == "coverage"]
    return replace(scene, overlays=[*held, *(overlay for overlay in scene.overlays if overlay not in held)])


def _history(history: History | None) -> dict[str, Any] | None:
    if history is None or len(history) < 2:
        return None
    return {
        "said": history.summary,
        "points": [
            {
                "label": label,
                "source": one_line(point.source),
                "at": (point.at or "unknown")[:16].replace("T", " "),
                "ran": point.ran,
                "loadable": point.loadable,
                "steps": point.steps,
                "size": size_text(point.bytes),
                "new": size_text(point.new_bytes) if point.new_bytes else "",
                "what": capital(one_line(point.said)),
            }
            for label, point in list(zip(history.labels, history, strict=True))[-_POINTS:]
        ],
        "left": max(0, len(history) - _POINTS),
    }


_WHY = {"instruction": "the step itself differs", "input": "what it takes differs", "result": "only the result differs"}


def _compared(compared: Compared | None) -> dict[str, Any] | None:
    if compared is None:
        return None
    groups = []
    for (change, _), members in compared.diff.groups.items():
        first = members[0]
        groups.append(
            {
                "change": change,
                "name": one_line(first.name or first.digest[:19]),
                "record": first.new if first.old is None or change.endswith("gained") else first.old,
                "why": _WHY[first.cause],
                "follow": len(members) - 1,
            }
        )
    explanation = compared.explanation
    return {
        "name": short_ref(compared.old.export.source, compared.old.export.platform),
        "said": compared.diff.summary,
        "groups": groups[:60],
        "more": max(0, len(groups) - 60),
        "ran": None if explanation is None else explanation.summary,
        "causes": [] if explanation is None else explanation.causes[:20],
        "capital": capital,
    }
