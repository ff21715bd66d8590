"""The drawing as a picture and as data: what it says, in which colours and shapes, and that texts stay texts."""

from __future__ import annotations

import base64
import json
import re
import xml.etree.ElementTree as ET
import zlib
from pathlib import Path

import pytest

import cachegraph as cg
from cachegraph.errors import UsageError
from cachegraph.views.drawing.looks import SHAPES, state_looks
from cachegraph.views.html.drawing import draw, scene_of
from cachegraph.views.html.stages import stages
from cachegraph.views.html.treemap import treemap
from tests.views.monorepo import monorepo

NS = "{http://www.w3.org/2000/svg}"


def _svg(text: str) -> ET.Element:
    return ET.fromstring(text)


def _texts(root: ET.Element) -> list[str]:
    return [text.text or "" for text in root.iter(f"{NS}text")]


def _shapes(root: ET.Element) -> dict[str, tuple[str | None, str | None]]:
    """Colour and path by the label of the mark."""
    found = {}
    for mark in root.iter(f"{NS}g"):
        if "cg-mark" in mark.get("class", ""):
            path = mark.find(f"{NS}g/{NS}path")
            label = mark.find(f"{NS}text")
            if path is not None and label is not None:
                found[label.text or ""] = (path.get("fill"), path.get("d"))
    return found


def test_a_state_is_told_by_colour_and_shape(scratch: cg.CacheGraph) -> None:
    root = _svg(scratch.plot().svg)
    shapes = _shapes(root)
    assert shapes["merge of 3 inputs"] == ("#0072B2", SHAPES["diamond"])
    assert shapes["mkdir /d, mkfile /d/f"] == ("#D55E00", SHAPES["cross"])
    assert shapes["RUN echo other > /other"] == ("#009E73", SHAPES["circle"])
    assert shapes["base image of 2 layers"] == ("#56B4E9", SHAPES["square"])
    assert len({look.colour for look in state_looks()}) == len({look.shape for look in state_looks()}) == 5
    legend = _texts(root)[-4:]
    assert legend[0] == "loadable: its result is in the cache"
    assert "key only: matches, not loadable" not in legend  # nothing of the kind is here


def test_a_picture_says_what_it_shows_to_those_who_do_not_see_it(scratch: cg.CacheGraph) -> None:
    root = _svg(scratch.plot().svg)
    assert root.get("role") == "img"
    assert root.findtext(f"{NS}title") == "6 records of scratch-file-inline linux/amd64"
    described = root.findtext(f"{NS}desc") or ""
    assert described.startswith("CACHED: 3 of 3 steps (100 %); 4 layers, 1.0 MiB, all there; ")
    assert "6 records: 2 loadable; 1 merge; 2 root; 1 lost root." in described


def test_what_is_said_of_a_picture_ends_where_it_ends(scratch: cg.CacheGraph) -> None:
    root = _svg(scratch.plot().svg)
    assert root.get("width") == "454"
    note = [text.text or "" for text in root.findall(f"{NS}text") if text.get("class") == "cg-note"]
    assert len(note) in (2, 3)  # how old it is has more letters some day
    assert " ".join(note).startswith("CACHED: 3 of 3 steps (100 %); 4 layers, 1.0 MiB, all there; newest result ")
    assert max(map(len, note)) < 55


def test_the_legend_says_what_dashes_are(scratch: cg.CacheGraph, fleet: cg.CacheGraph) -> None:
    dashes = "one of several alternatives: any will do"
    assert _texts(_svg(fleet.plot().svg))[-1] == dashes
    assert dashes not in scratch.plot().svg


def test_every_mark_has_its_index_and_its_whole_name(scratch: cg.CacheGraph) -> None:
    root = _svg(scratch.plot().svg)
    assert {f"#{index}" for index in range(6)} <= set(_texts(root))
    titles = [mark.findtext(f"{NS}title") or "" for mark in root.iter(f"{NS}g") if mark.find(f"{NS}title") is not None]
    assert "record 2: merge of 3 inputs\nmerge, loadable" in titles


def test_alternatives_are_dashed(fleet: cg.CacheGraph) -> None:
    scene = scene_of(fleet.graphs[0])
    pairs = {(scene.nodes[one].index, scene.nodes[other].index) for one, other in scene.alternatives(scene.fold.marks)}
    assert {(1, 0), (18, 0)} <= pairs
    assert len(pairs) == 8
    dashed = [path for path in _svg(fleet.plot().svg).iter(f"{NS}path") if path.get("stroke-dasharray")]
    assert [len(re.findall("M", path.get("d", ""))) for path in dashed] == [8, 1]  # the links, and the legend


def test_odd_names_are_text(named: cg.CacheGraph, hostile: str) -> None:
    text = named.plot().svg
    assert "<img" not in text
    assert hostile.replace("\x1b", "\N{REPLACEMENT CHARACTER}") in " ".join(_svg(text).itertext())
    page = named.plot().page
    assert "<img" not in page
    assert page.count("</script") == 2  # the page's own


def test_characters_that_turn_or_drive_a_line_are_replaced_in_labels_too() -> None:
    graph = cg.from_config(json.dumps({"records": [{"digest": "\u202egnp.exe"}, {"digest": "a\x1b[31m\nb"}]}).encode())
    scene = graph.plot().scene
    assert [node.label for node in scene.nodes] == [
        "\N{REPLACEMENT CHARACTER}gnp.exe",
        "a\N{REPLACEMENT CHARACTER}[31m b",
    ]
    assert not re.search("[\x00-\x08\x1b\u202e]", graph.plot().page)


def test_a_few_records_with_thousands_of_links_are_folded() -> None:
    """Sixty that each take sixty would be one grey area."""
    records: list[dict[str, object]] = [{"digest": f"{n}"} for n in range(60)]
    records += [{"digest": f"a{n}", "inputs": [[{"link": m}] for m in range(60)]} for n in range(60)]
    scene = cg.from_config(json.dumps({"records": records}).encode()).plot().scene
    assert [len(scene.members(mark)) for mark in scene.fold.marks] == [60, 60]
    assert [group.kind for group in scene.fold.groups] == ["fan", "fan"]


def test_the_data_is_what_the_page_holds(named: cg.CacheGraph) -> None:
    drawing = named.plot()
    found = re.search(r'<script type="application/json" data-drawing="drawing">(.*?)</script>', drawing.page)
    assert found
    assert json.loads(found[1]) == json.loads(json.dumps(drawing.scene.to_dict()))
    assert drawing.scene.to_dict()["slots"][2] == ((3,), (1,), (4,))


def test_the_policy_names_script_and_style_and_lets_in_nothing_else(scratch: cg.CacheGraph) -> None:
    page = scratch.plot().page
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    rules = dict(rule.strip().split(" ", 1) for rule in policy[1].replace("&#39;", "'").split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", rules["script-src"])
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", rules["style-src"])
    assert " style=" not in page
    assert not re.search(r"\son\w+=", page.split("<script>")[0])


def test_it_is_small(scratch: cg.CacheGraph, large: cg.CacheGraph) -> None:
    assert len(scratch.plot().page) < 80_000
    assert len(large.plot().page) < 3_000_000


def test_saved_as_a_file(scratch: cg.CacheGraph, tmp_path: Path) -> None:
    drawing = scratch.plot()
    for name in ("x.html", "x.svg", "x.png"):
        drawing.save(tmp_path / name)
    assert (tmp_path / "x.html").read_text() == drawing.page
    assert (tmp_path / "x.svg").read_text() == drawing.svg
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(UsageError, match=r"a drawing is no .pdf"):
        drawing.save(tmp_path / "x.pdf")


def test_in_a_notebook(named: cg.CacheGraph) -> None:
    frame = named.plot()._repr_mimebundle_()["text/html"]
    assert frame.startswith('<iframe srcdoc="&lt;!doctype html&gt;')
    assert 'sandbox="allow-scripts"' in frame
    assert frame.count("<") == 2  # the frame's own tags


def test_a_focus_draws_a_part(large: cg.CacheGraph) -> None:
    drawing = large.focus(3000, up=3, down=3).plot()
    assert drawing.scene.title == "5,000 records of config, 26 of them in focus"
    assert len(drawing.scene.nodes) == 26
    hidden = [link for node in drawing.scene.nodes for slot in node.slots for link in slot if link < 0]
    assert set(hidden) == {-2}


def test_loops_and_nothing_at_all_are_drawn() -> None:
    loop = cg.from_config(b'{"records": [{}, {"inputs": [[{"link": 2}]]}, {"inputs": [[{"link": 1}, {"link": 8}]]}]}')
    assert len(_shapes(_svg(loop.plot().svg))) >= 1
    assert loop.plot().scene.nodes[2].slots == ((1, -1),)
    assert stages(loop.plot().scene.nodes) == []
    assert draw(loop.graphs[0], limit=1).svg
    empty = cg.from_config(b"{}").plot()
    assert empty.page
    assert _svg(empty.svg).get("width") == "420"


def test_a_fold_says_how_many_it_stands_for(large: cg.CacheGraph) -> None:
    scene = scene_of(large.graphs[0])
    chain = next(n for n, group in enumerate(scene.fold.groups) if group.kind == "chain" and len(group.members) > 3)
    assert scene.labels[chain].startswith(f"{len(scene.fold.groups[chain].members)} in a row: ")


def test_it_opens_at_what_matters_most(layouts: Path, scratch: cg.CacheGraph) -> None:
    """A given place, what changed, a finding, a lost root, the last step."""
    assert scene_of(scratch.graphs[0]).start == 1
    assert scene_of(scratch.graphs[0], notes=[(4, "warning", "CG100", "it is")]).start == 4
    assert scene_of(scratch.graphs[0], notes=[(4, "warning", "CG100", "it is")], begin=3).start == 3
    whole = cg.load(str(layouts / "web-max"))
    assert scene_of(whole.graphs[0]).start == 5  # nothing takes it, and the longest way leads to it
    assert whole.plot(prediction=cg.predict(whole, whole)).scene.start == 5
    changed = cg.load(str(layouts / "web-churn")).plot(compared_with=whole).scene
    first = changed.overlays[0]
    assert changed.start is not None
    assert first.looks[first.values[changed.start]].name == "key gained"
    assert cg.from_config(b"{}").plot().scene.start is None


def test_much_data_is_compressed(large: cg.CacheGraph) -> None:
    """The page holds the same data, as a zlib stream in Base64."""
    drawing = large.plot()
    found = re.search(r'<script type="application/zlib" data-drawing="drawing">([\w+/=]*)</script>', drawing.page)
    assert found
    data = zlib.decompress(base64.b64decode(found[1]))
    assert json.loads(data) == json.loads(json.dumps(drawing.scene.to_dict()))
    assert len(drawing.page) < 1_000_000


@pytest.mark.slow
def test_too_many_are_a_summary(large: cg.CacheGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cachegraph.views.drawing.scene.SUMMARY", 4_000)
    scene = scene_of(large.graphs[0])
    assert scene.is_summary
    assert len(scene.fold.marks) < 40
    # A row for each depth, a column for each state, each mark beside and below the others.
    layout, sheet = scene.layout, scene.to_dict()["sheet"]
    assert layout.depth == 8
    assert layout.courses == {}
    assert len(set(zip(layout.layers, layout.xs, strict=True))) == len(scene.fold.marks)
    assert sheet[3] == []
    states = {scene.nodes[scene.members(mark)[0]].state for mark in scene.fold.marks}
    assert len(set(layout.xs)) == len(states)
    assert scene.labels[0].endswith(", depth 0+")
    assert sum(len(scene.members(mark)) for mark in scene.fold.marks) == 5_000
    assert scene.to_dict()["summary"] is True


# --- Overlays --------------------------------------------------------------------------------------------------------


def test_a_prediction(scratch: cg.CacheGraph) -> None:
    drawing = scratch.plot(prediction=cg.predict(scratch, scratch))
    overlay = drawing.scene.overlays[0]
    said = {
        node.index: overlay.looks[value].name for node, value in zip(drawing.scene.nodes, overlay.values, strict=True)
    }
    assert said == {0: "not needed", 1: "source", 2: "loaded", 3: "source", 4: "not needed", 5: "source"}
    cold = cg.from_config(b'{"records": [{"digest": "a"}, {"digest": "b", "inputs": [[{"link": 0}]]}]}')
    runs = scratch.plot(prediction=cg.predict(scratch, cold)).scene.overlays[0]
    # Record 0 takes a base image that is not there: with it the miss begins. The others follow, or begin as well.
    assert runs.looks[runs.values[0]].name == "runs first"
    assert runs.looks[runs.values[2]].name in ("runs", "runs first")
    assert runs.texts[0]


def test_a_diff_draws_what_was_lost_as_well(layouts: Path) -> None:
    old, new = cg.load(str(layouts / "web-max")), cg.load(str(layouts / "web-churn"))
    scene = new.plot(compared_with=old).scene
    found = cg.diff(old, new)
    overlay = scene.overlays[0]
    names = [overlay.looks[value].name for value in overlay.values]
    for change in ("key gained", "key lost", "result gained", "result lost"):
        assert names.count(change) == found.count(change), change
    assert names.count("same") == len(new.graphs[0]) - found.count("key gained") - found.count("result lost")
    lost = [node for node in scene.nodes if node.is_lost]
    assert [node.index for node in lost] == [change.old for change in found if change.change == "key lost"]
    # A lost step stands below what it took, were that lost or still there.
    assert all(link >= 0 for node in lost for slot in node.slots for link in slot)
    digests = {scene.nodes[link].digest for node in lost for link in node.links}
    taken = {a.link for node in lost for slot in old.graphs[0].record(node.index).inputs for a in slot}
    assert digests == {old.graphs[0].record(link).digest for link in taken}


def test_blast_radius_and_bytes_as_heat(layouts: Path) -> None:
    graph = cg.load(str(layouts / "web-max"))
    blast = cg.blast_radius(graph)
    scene = graph.plot(blast=blast).scene
    heat = scene.overlays[0]
    runs = {row.record: row.runs for row in blast}
    levels = dict(zip((node.index for node in scene.nodes), heat.values, strict=True))
    assert all(levels[one] >= levels[other] for one in runs for other in runs if runs[one] >= runs[other])
    assert {levels[record] for record in range(19) if not runs.get(record)} <= {0}
    in_bytes = next(overlay for overlay in scene.overlays if overlay.name == "bytes")
    # Each blob counts once, so that they sum up to what a build can load.
    blobs = {blob for r in range(19) for result in graph.loadable_results(r) for blob in result}
    sizes = graph.graphs[0].sizes
    assert in_bytes.note.startswith(f"{sum(sizes[blob] for blob in blobs) / 1048576:.1f} MiB")


# --- Stages and areas ------------------------------------------------------------------------------------------------


def test_steps_stand_in_stages(layouts: Path) -> None:
    nodes = scene_of(cg.load(str(layouts / "web-oci")).graphs[0]).nodes
    found = stages(nodes)
    assert [(stage.on, stage.steps) for stage in found] == [
        (None, (12,)),
        (0, (4, 3, 9, 13)),
        (1, (15, 2)),
        (1, (18, 0)),
        (0, (8, 7, 6, 5)),
        (None, (14, 11)),
    ]


def test_every_step_is_in_one_stage() -> None:
    nodes = scene_of(monorepo(20).graphs[0]).nodes
    placed = [step for stage in stages(nodes) for step in stage.steps]
    assert len(placed) == len(set(placed))
    assert {place for place, node in enumerate(nodes) if node.slots} <= set(placed)


def test_areas_are_shares() -> None:
    areas = treemap([6, 6, 4, 3, 2, 2, 1, 0], 6, 4)
    assert [area.position for area in areas] == [0, 1, 2, 3, 4, 5, 6]
    assert all(area.width * area.height == pytest.approx([6, 6, 4, 3, 2, 2, 1][area.position]) for area in areas)
    # The example of the paper: two of three by two, one above the other.
    assert [areas[0].width, areas[0].height] == pytest.approx([3, 2])
    for one in areas:
        for other in areas:
            apart = (
                one.x + one.width <= other.x + 1e-9
                or other.x + other.width <= one.x + 1e-9
                or one.y + one.height <= other.y + 1e-9
                or other.y + other.height <= one.y + 1e-9
            )
            assert one is other or apart
    assert treemap([], 6, 4) == treemap([0, 0], 6, 4) == []
