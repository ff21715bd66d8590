"""The notebooks run wherever the package is installed, and the figures that their text names are true."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from tests.servers.neo4j import usual_port

FOLDER = Path(__file__).parents[2] / "notebooks"

FIGURES: dict[str, dict[str, tuple[str, object]]] = {
    "01_first_look": {
        "**19 records**, **6 of them roots**": ("[len(graph.records), int(graph.records['is_root'].sum())]", [19, 6]),
        "The other 13 are steps": ("int((~graph.records['is_root']).sum())", 13),
        "**13 of 13**": ("int(graph.records['loadable'].sum())", 13),
        "**3 merges**": ("int((graph.records['op'] == 'merge').sum())", 3),
        "two roots are one image": ("int((graph.records['op'] == 'source').sum())", 2),
        "Record 5 is the image itself, with **6 layers**": ("len(graph.record(5).results[0].layers)", 6),
        "(record 1) or the step that made it (record 18)": ("[a.record for a in graph.record(0).slots[0]]", [1, 18]),
        "Nothing but notes.": ("graph.check().counts()", {"error": 0, "warning": 0, "note": 8}),
        "**10 steps** cannot be loaded": ("len(broken.missing_results())", 10),
        "That is **1 error**": ("broken.check().counts()['error']", 1),
        "because of a single lost blob": ("int((~broken.blobs['present']).sum())", 1),
        "**7 of 17** steps": (
            "inline.records.query('~is_root').groupby('export')['loadable'].agg(['sum', 'count']).values.tolist()",
            [[7, 17], [7, 17]],
        ),
        "All **20** are *bridged*": ("missing['impact'].tolist()", ["bridged"] * 20),
        "**12 records** depend on record 12": ("graph.record(12).downstream", 12),
        "**0 records** of them run again": ("runs_again(12)", []),
        "**10 records** run again, not 12": ("[len(runs_again(12, 16)), graph.record(16).downstream]", [10, 12]),
        "records 0 and 2 take files by their content (records 1 and 10)": (
            "[[a.record for a in graph.record(r).slots[0]][0] for r in (0, 2)]",
            [1, 10],
        ),
        "**11 records** deep": ("len(longest)", 11),
        "from the last `RUN` (record 5)": ("int(made.nodes[longest[0]]['index'])", 5),
    },
    "02_merge_ops": {
        "**6 records.** Record 2 is the merge, record 4 the diff, record 0 the command.": (
            "graph.records.set_index('record_index')['op'].tolist()",
            ["unknown", "unknown", "merge", "source", "diff", "source"],
        ),
        "**4 layers**": ("len(graph.record(2).results[0].layers)", 4),
        "Slot 2, the diff, has a result of its own: layer 3.": ("list(graph.record(4).results[0].layers)", [3]),
        "**layer 2**": ("list(lost.layers)", [2]),
        "**125 bytes**": ("int(layer['blob_bytes'])", 125),
        "The scratch step **matches and cannot be loaded**": (
            "[1 in matching, graph.record(1).loadable]",
            [True, False],
        ),
        "(`graph.matched(0)` gives the same)": ("sorted(map(int, graph.matched(0)))", [1, 3, 5]),
        "The merge is gone, as it must be. Of its three inputs the base image matches": ("matching", [1, 3, 5]),
        "**layers 2 and 3** of five": (
            "[list(better.record(4).results[0].layers), len(better.record(1).results[0].layers)]",
            [[2, 3], 5],
        ),
        "No lost root; the one note": ("better.unreachable_roots().counts()", {"error": 0, "warning": 0, "note": 1}),
        "**2 notes** now and no warning, the second of them about record 3": (
            "[[(f.record, f.severity) for f in full.unreachable_roots()], full.record(3).op]",
            [[[1, "note"], [3, "note"]], "unknown"],
        ),
    },
    "03_names": {
        "**4 of 6**": ("int(before.records['record_name'].notna().sum())", 4),
        "**6 of 6**": ("int(graph.records['record_name'].notna().sum())", 6),
        "`mkdir /d; mkfile /d/f` brought layer 2": (
            "[graph.record(1).name, list(graph.unreachable_roots()[0].layers)]",
            ["mkdir /d; mkfile /d/f", [2]],
        ),
        "One root is lost, record 1. Record 3 is not": ("[f.record for f in full.unreachable_roots()]", [1]),
        "**6 file, 4 exec, 4 content, 3 merge, 2 source.**": (
            "web.records['op'].value_counts().loc[lambda counts: counts > 0].to_dict()",
            {"file": 6, "exec": 4, "content": 4, "merge": 3, "source": 2},
        ),
        "narrowed to the path `/report`": ("web.record(0).slots[0][1].path", "/report"),
    },
    "04_fleet_in_neo4j": {
        "**23 exports** from **22 folders**": (
            "[len(graph.graphs), len({e.source for e in loaded.exports})]",
            [23, 22],
        ),
        "One folder more, `web-prov`": ("[Path(failure.spec).name for failure in loaded.failures]", ["web-prov"]),
        "whoever loads the same export again writes nothing": (
            "[first.created, again.created, again.unchanged, first.failed == again.failed == ()]",
            [23, 0, 23, True],
        ),
        "are in **all 23** exports": ("[shared['refs'].tolist()[:3], len(refs)]", [[23, 23, 7], 23]),
        "one of them of 1 MiB": ("int(shared['bytes'][0])", 1_079_936),
        "**11 refs** recognise the first of these steps, and **3** of them": (
            "common[['refs', 'loadable']].iloc[0].tolist()",
            [11, 3],
        ),
        "The bright blocks are the same build": ("float(shares.loc['web-max', 'web-oci linux/amd64'])", 1.0),
        "Both give the same findings": ("same", True),
    },
    "05_cold_build": {
        "All **7 of 7** steps run": (
            "[before.prediction.best.runs, before.prediction.worst.runs, len(before.prediction)]",
            [7, 7, 7],
        ),
        "`COPY . .` takes `main.go`, which was changed": (
            "[(cause.kind, list(cause.paths)) for cause in before.causes.values()]",
            [["files", ["main.go"]]],
        ),
        "Their keys are in the cache, **3 steps** of them": (
            "[line.line for line in before.lines if line.step.why == 'no-result']",
            [3, 4, 5],
        ),
        "Now **4 of 7** steps run": (
            "[[line.line for line in after.lines if line.executed], len(after.prediction)]",
            [[6, 8, 10, 11], 7],
        ),
        "The costly part, line 5, is loaded": (
            "[line.line for line in after.lines if line.step.how == 'loaded']",
            [5],
        ),
        "It is what was predicted, step by step": (
            "sorted(miss.digest for miss in cg.explain(named, full)) == "
            "sorted(line.step.digest for line in after.lines if line.executed)",
            True,
        ),
        "One cause, **4 steps**": ("[cause.steps for cause in cg.explain(named, full).causes]", [4]),
        "reruns up to **4 steps**, the README too": (
            "[row.runs for row in cg.blast_radius(wide) if (row.name or '').startswith('COPY . .')]",
            [4],
        ),
        "for a README: **2 steps**": ("[line.line for line in predicted().lines if line.executed]", [6, 8]),
        "the first build after that change still runs": (
            "[line.line for line in ignored.lines if line.executed]",
            [6, 8],
        ),
        "the build asks for the same keys": ("len(cg.diff(ignored.build, again.build))", 0),
    },
    "06_compare_two_builds": {
        "**6 keys** are gained, 6 are lost and 6 are the same": (
            "[*(sum(c.change == kind for c in changes) for kind in ('key gained', 'key lost')), changes.same]",
            [6, 6, 6],
        ),
        "Records 5 and 9 are contents of files": (
            "sorted(int(i) for i in gained.index[gained['name'].str.startswith('files for')])",
            [5, 9],
        ),
        "begins with **record 0**, `COPY . .`": (
            "[sorted({int(b) for b in gained.query(\"cause == 'input'\")['begins']}), gained.loc[0, 'name'][:8]]",
            [[0], "COPY . ."],
        ),
        "three steps after it": ("int((gained['cause'] == 'input').sum()) - 1", 3),
        "**4 of 7** steps ran, from one cause": (
            "[len(cg.explain(new, old)), int((~new.records['is_root']).sum()), len(cg.explain(new, old).causes)]",
            [4, 7, 1],
        ),
        "No key differs, and **5 results** are gained": (
            "[change.change for change in kept]",
            ["result gained"] * 5,
        ),
        "can load two; the full one loads all seven": (
            "[int(g.exports['loadable_steps'].iloc[0]) for g in (inline, old)]",
            [2, 7],
        ),
        "**10 results** that could be loaded cannot be any more, though all 19 keys": (
            "[[change.change for change in lost], lost.same]",
            [["result lost"] * 10, 19],
        ),
    },
    "07_fleet_without_a_database": {
        "**23 exports**, and **1 failure**: `web-prov`": (
            "[len(fleet.graphs), [Path(failure.spec).name for failure in loaded.failures]]",
            [23, ["web-prov"]],
        ),
        "**9 of 23** caches hold less than all": ("int((worst['coverage'] < 1).sum())", 9),
        "The two at the bottom, 7 of 17 steps each": (
            "worst[['loadable_steps', 'steps']].head(2).values.tolist()",
            [[7, 17], [7, 17]],
        ),
        "No errors, and **8 warnings** of `uncached-steps`": (
            "[int((findings['severity'] == 'error').sum()),"
            " int(((findings['severity'] == 'warning') & (findings['query'] == 'uncached-steps')).sum())]",
            [0, 8],
        ),
        "are in **all 23** exports": (
            "[r for r, in database.sql('SELECT count(DISTINCT export) AS n FROM blobs GROUP BY digest"
            " ORDER BY n DESC LIMIT 3').fetchall()]",
            [23, 23, 7],
        ),
        "the fleet has **25 MB**, in a store that keeps a blob once it has **1.1 MB**": (
            "weight.iloc[0].tolist()",
            [24_972_757, 1_126_025],
        ),
        "**11 refs** recognise these steps and **4** of them": (
            "common[['refs', 'can_load']].values.tolist()",
            [[11, 4]] * 5,
        ),
    },
    "08_history": {
        "first and the last of the **30 exports** are perfect: a build can load 14 of 14 steps": (
            "[len(month), [(month[n].loadable, month[n].steps) for n in (0, -1)]]",
            [30, [[14, 14], [14, 14]]],
        ),
        "**20 of 29** builds, **168 of 409** steps in all": (
            "[sum(p.ran > 0 for p in month[1:]), len(month[1:]),"
            " sum(p.ran for p in month[1:]), sum(p.steps for p in month[1:])]",
            [20, 29, 168, 409],
        ),
        "Both agree on **29 of 29** nights": ("[sum(agree), len(agree)]", [29, 29]),
        "**Night 8: all 14 steps.**": ("[month[7].ran, month[7].steps, month[7].cause]", [14, 14, "base image"]),
        "**Nights 14 to 16: 14 of 15 steps each.**": ("[(p.ran, p.steps) for p in month[13:16]]", [[14, 15]] * 3),
        "Night 17 took the line out and ran **13 of 14** steps once more; in night 18 nothing ran": (
            "[month[16].ran, month[16].steps, month[17].ran]",
            [13, 14, 0],
        ),
        "**Night 11: mode=min for one night.** It ran 9 steps, as a new lock file makes it, but 6 of them left no": (
            "[truth[10]['mode'], month[10].ran, month[10].steps - month[10].loadable, month[5].ran]",
            ["min", 9, 6, 9],
        ),
        "an edit of the source ran **9 steps instead of 7**": ("[month[11].ran, month[8].ran]", [9, 7]),
        "**Night 20: a blob gone.** Nothing ran": ("[month[19].ran, truth[19]['lost'] is not None]", [0, True]),
        "removed a layer of 4.6 KiB: **5 of 14** steps could not": (
            "['(4.6 KiB)' in month[19].said, month[19].steps - month[19].loadable, month[19].steps]",
            [True, 5, 14],
        ),
        "**Nights 23 to 25: a file too many.**": ("[p.cause for p in month[22:25]]", ["instruction", "files", "files"]),
        "wrote **210 KiB**, more than the other 26 after the first together": (
            "[round(sum(p.new_bytes for p in month[22:25]) / 1024),"
            " sum(p.new_bytes for p in month[22:25]) > sum(p.new_bytes for p in month[1:22] + month[25:])]",
            [210, True],
        ),
        "an edit of the README ran four steps. Night 26 copied `src` again; in night 27 another edit of the README": (
            "[(truth[n]['words'], month[n].ran) for n in (24, 25, 26)]",
            [["README.md edited", 4], ["COPY src again", 4], ["README.md edited", 0]],
        ),
        "made **13 builds** run **91 steps**": (
            "[sum(p.cause == 'files' for p in month), sum(p.ran for p in month if p.cause == 'files')]",
            [13, 91],
        ),
        "made **6 builds** run **63 steps**": (
            "[sum(p.cause == 'instruction' for p in month), sum(p.ran for p in month if p.cause == 'instruction')]",
            [6, 63],
        ),
        "`COPY tests ./tests`, ran **19 times**, though the tests were edited once": (
            "[sum(c.became == 'ran' and c.name.startswith('COPY tests') for c in month.changes),"
            " sum(night['words'].startswith('tests/') for night in truth)]",
            [19, 1],
        ),
        "Each export alone is perfect: **7 of 7** steps": ("[(p.loadable, p.steps) for p in turns]", [[7, 7]] * 4),
        "each replaces six keys of the one before: export 3 is export 1 again, and export 4 is export 2": (
            "[[(p.keys_gained, p.keys_lost) for p in turns][1:], [p.same_as for p in turns]]",
            [[[6, 6]] * 3, [None, None, 0, 1]],
        ),
    },
}
"""By notebook and words of its text: what to evaluate after its last cell, and what it must give."""


# One starts a Neo4j; the others start a kernel each.
NEO4J = "04_fleet_in_neo4j"
MARKS = {name: pytest.mark.server if name == NEO4J else pytest.mark.slow for name in FIGURES}
HOME = "cg.__file__"
NOTEBOOKS = [pytest.param(name, marks=mark) for name, mark in MARKS.items()]


def _read(name: str) -> nbformat.NotebookNode:
    found: nbformat.NotebookNode = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    return found


Run = Callable[[str], tuple[nbformat.NotebookNode, dict[str, object]]]


@pytest.fixture(scope="session")
def run(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run a notebook, once, with what a wheel holds and in an empty folder: nothing of the clone is near."""

    @cache
    def ran(name: str) -> tuple[nbformat.NotebookNode, dict[str, object]]:
        notebook, here = _read(name), tmp_path_factory.mktemp(name)
        wanted = [HOME, *(expression for expression, _ in FIGURES[name].values())]
        script = f"import json\nprint(json.dumps({{e: eval(e) for e in {wanted!r}}}))"
        notebook.cells.append(new_code_cell(script))
        with usual_port() if name == NEO4J else nullcontext():
            client = NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(here)}})
            client.execute(env={**os.environ, "PYTHONPATH": str(site)})
        last = notebook.cells.pop()
        said = json.loads("".join(output["text"] for output in last.outputs if output.get("name") == "stdout"))
        assert list(here.iterdir()) == []
        assert Path(said[HOME]).is_relative_to(site)
        return notebook, said

    return ran


def _text(name: str) -> str:
    return "\n".join(cell.source for cell in _read(name).cells if cell.cell_type == "markdown")


@pytest.mark.parametrize(
    ("name", "words"),
    [pytest.param(name, words, marks=MARKS[name]) for name, figures in FIGURES.items() for words in figures],
)
def test_the_text_is_true(name: str, words: str, run: Run) -> None:
    expression, expected = FIGURES[name][words]
    assert words in _text(name)
    assert run(name)[1][expression] == expected


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_in_bold_is_tested(name: str) -> None:
    bold = {words for words in re.findall(r"\*\*[^*]+\*\*", _text(name)) if re.search(r"\d", words)}
    assert {words for words in bold if not any(words in tested for tested in FIGURES[name])} == set()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_outputs_are_short_and_shown_once(name: str, run: Run) -> None:
    for cell in run(name)[0].cells:
        outputs = cell.get("outputs", [])
        assert len(outputs) <= 2
        assert all(output.get("name") != "stderr" for output in outputs)


@pytest.mark.slow
def test_the_picture_of_the_month_is_told_in_words_too(run: Run) -> None:
    outputs = [output for cell in run("08_history")[0].cells for output in cell.get("outputs", [])]
    pages = [output.get("data", {}).get("text/html", "") for output in outputs]
    (picture,) = (page for page in pages if page.startswith("<img "))
    said = '<img alt="Two bar charts over 30 nights. Above, the steps that ran and those that were kept'
    assert picture.startswith(said)
    assert ' src="data:image/png;base64,' in picture


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_in_git_carry_no_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert path.stem in FIGURES


@pytest.mark.slow
def test_async_cells_and_progress_in_one_line(site: Path, tmp_path: Path) -> None:
    notebook = new_notebook(
        cells=[
            new_code_cell("import asyncio\nimport cachegraph as cg\nfrom cachegraph.loaders.base import Options"),
            new_code_cell(
                "from cachegraph.views.progress import one_line\n"
                "await asyncio.sleep(0)\n"
                "report = one_line()\n"
                "for number in range(3000):\n"
                "    report('records', number + 1, 3000)\n"
                "graph = cg.load(cg.sample('scratch-file-inline'), options=Options(report=report, verify=True))\n"
                "await asyncio.sleep(0)"
            ),
            new_code_cell("await asyncio.to_thread(cg.load, cg.sample('web-max'))"),
        ]
    )
    client = NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(tmp_path)}})
    client.execute(env={**os.environ, "PYTHONPATH": str(site)})
    _, progress, shown = notebook.cells
    (line,) = progress.outputs
    assert re.fullmatch(r"(records|checking blobs): [\d,]+ of [\d,]+", line["data"]["text/plain"])
    assert shown.outputs[0]["data"]["text/plain"].startswith("1 export\n")
