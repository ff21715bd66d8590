"""Drawings and reports in real Chromium: search, clicks, keys, colours, accessibility; and nothing is asked for."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

import cachegraph as cg
from benchmarks.synthetic import make_config
from cachegraph.cli.app import app
from cachegraph.core.decode import encode
from cachegraph.views.html.drawing import Drawing
from tests.servers.programs import axe
from tests.views.monorepo import monorepo

Show = Callable[[Drawing | Path], None]

_DRAWING = "window.cachegraph.drawings[0]"


@pytest.fixture
def show(browser: Chrome, tmp_path: Path) -> Iterator[Show]:
    """Open a page; afterwards, nothing must stand in the console, and nothing must have been asked for."""
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    browser.set_window_size(1280, 900)
    browser.get_log("browser")
    browser.get_log("performance")

    def opened(shown: Drawing | Path) -> None:
        path = shown if isinstance(shown, Path) else tmp_path / "page.html"
        if not isinstance(shown, Path):
            shown.save(path)
        browser.get(path.as_uri())

    yield opened
    assert browser.get_log("browser") == []
    asked = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = {one["params"]["request"]["url"] for one in asked if one["method"] == "Network.requestWillBeSent"}
    assert all(url.startswith("file://") and url.endswith(".html") for url in urls), urls


def _report(tmp_path: Path, *arguments: str) -> Path:
    path = tmp_path / "report.html"
    done = CliRunner().invoke(app, ["report", *arguments, "-o", str(path)])
    assert done.exit_code == 0, done.output
    return path


def _run(browser: Chrome, script: str, *arguments: object) -> Any:  # noqa: ANN401 - what the page gives
    return browser.execute_script(f"const drawing = {_DRAWING}; {script}", *arguments)


def _mark(browser: Chrome, index: int) -> WebElement:
    return browser.find_element(By.CSS_SELECTOR, f"[data-id='{index}']")


def _painted(browser: Chrome) -> None:
    """Wait until what was asked for is drawn."""
    browser.execute_async_script("const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done))")


def _panel(browser: Chrome) -> str:
    return browser.find_element(By.CLASS_NAME, "cg-details").text


# --- What is lit ----------------------------------------------------------------------------------------------------


def _lit(browser: Chrome, graph: cg.CacheGraph) -> None:
    """Compare what a click lights with what the solver says, for every record."""
    slots = graph.plot().scene.to_dict()["slots"]
    found = browser.execute_script(
        "const rules = new window.cachegraph.Rules(arguments[0]);"
        "return arguments[0].map((_, node) => [rules.up(node), rules.down(node)])",
        slots,
    )
    everything = graph.matched()
    without = [graph.matched(record) for record in range(len(slots))]
    links = graph.graphs[0].links
    for record, (up, down) in enumerate(found):
        above = set(links.above(record)) - {record}
        below = {other for other in range(len(slots)) if record in links.above(other)} - {record}
        assert set(up["lit"]) == {other for other in above if other in everything and other not in without[record]}
        assert set(up["lit"]) | set(up["dim"]) == above
        needed = {other for other in below if record in everything and record not in without[other]}
        assert set(down["lit"]) == needed
        assert set(down["lit"]) | set(down["dim"]) == below


def _made(seed: int) -> cg.CacheGraph:
    dice = random.Random(seed)
    records: list[dict[str, object]] = []
    for index in range(40):
        slots = [
            [{"link": dice.randrange(index)} for _ in range(dice.choice((1, 1, 2, 3)))]
            for _ in range(dice.choice((0, 1, 1, 2, 3)) if index > 3 else 0)
        ]
        records.append({"digest": f"d{index}", **({"inputs": slots} if slots else {})})
    return cg.from_config(json.dumps({"records": records}).encode())


def test_what_is_lit_is_what_the_solver_says(browser: Chrome, show: Show, layouts: Path) -> None:
    show(cg.load(str(layouts / "web-max")).plot())
    for name in ("web-max", "web-churn", "nested-inline", "wide-12-max", "scratch-file-inline"):
        _lit(browser, cg.load(str(layouts / name)))
    for seed in range(12):
        _lit(browser, _made(seed))


def test_of_a_refused_export_too(browser: Chrome, show: Show) -> None:
    """A loop, something behind it, and a record that is not there."""
    loop = cg.from_config(
        b'{"records": [{"digest": "r"}, {"digest": "a", "inputs": [[{"link": 2}], [{"link": 0}]]},'
        b' {"digest": "b", "inputs": [[{"link": 1}]]}, {"digest": "c", "inputs": [[{"link": 2}, {"link": 0}]]},'
        b' {"digest": "d", "inputs": [[{"link": 9}, {"link": 0}]]}, {"digest": "e", "inputs": [[{"link": 9}]]}]}'
    )
    show(loop.plot())
    _lit(browser, loop)
    assert 'BuildKit refuses it ("' in _panel(browser)
    assert "no build loads what is drawn" in browser.find_element(By.CLASS_NAME, "cg-note").text
    _run(browser, "drawing.go(4)")
    assert "no such record" in _panel(browser)
    assert "It needs 1 record." in _panel(browser)
    for record in (1, 3, 5):
        _run(browser, f"drawing.go({record})")
        assert "No build finds it" in _panel(browser)


def test_a_click_lights_the_way_and_dims_the_alternatives(browser: Chrome, show: Show, layouts: Path) -> None:
    graph = cg.load(str(layouts / "web-max"))
    show(graph.plot())
    _mark(browser, 12).click()
    lit = {int(e.get_attribute("data-id") or -1) for e in browser.find_elements(By.CSS_SELECTOR, ".cg-mark.cg-lit")}
    dim = {int(e.get_attribute("data-id") or -1) for e in browser.find_elements(By.CSS_SELECTOR, ".cg-mark.cg-dim")}
    # Every record that takes the base image takes it under its other key as well.
    assert lit == {12}
    assert dim == set(graph.graphs[0].links.above(12))
    assert "no other record loses its match" in _panel(browser)
    _mark(browser, 4).click()
    lit = {int(e.get_attribute("data-id") or -1) for e in browser.find_elements(By.CSS_SELECTOR, ".cg-mark.cg-lit")}
    assert lit == {4} | set(graph.graphs[0].links.above(4)) - graph.matched(4)
    assert "any one of" in _panel(browser)
    _mark(browser, 4).click()
    assert browser.find_elements(By.CSS_SELECTOR, ".cg-mark.cg-lit, .cg-mark.cg-off") == []


# --- Search, keys, folds ---------------------------------------------------------------------------------------------


def test_search_counts_and_jumps(browser: Chrome, show: Show, named: cg.CacheGraph, hostile: str) -> None:
    show(named.plot())
    field = browser.find_element(By.CSS_SELECTOR, "input[type=search]")
    count = browser.find_element(By.CLASS_NAME, "cg-count")
    field.send_keys("base image")
    assert count.text == "2 found"
    assert len(browser.find_elements(By.CSS_SELECTOR, ".cg-mark.cg-hit")) == 2
    field.send_keys(Keys.ENTER)
    assert count.text == "1 of 2"
    assert _panel(browser).startswith("Record 3\nbase image of 2 layers")
    field.send_keys(Keys.ENTER)
    assert _panel(browser).startswith("Record 5")
    field.send_keys(Keys.SHIFT + Keys.ENTER)
    assert _panel(browser).startswith("Record 3")
    field.clear()
    field.send_keys("lost root")
    field.send_keys(Keys.ENTER)
    assert count.text == "1 of 1"
    assert hostile.replace("\x1b", "\N{REPLACEMENT CHARACTER}")[:60] in _panel(browser)
    assert browser.find_elements(By.TAG_NAME, "img") == []
    field.clear()
    field.send_keys("nothing like it")
    assert count.text == "0 found"


def test_the_keyboard_alone_reaches_everything(browser: Chrome, show: Show, layouts: Path) -> None:
    show(cg.load(str(layouts / "web-max")).plot())
    keys = ActionChains(browser)
    for _ in range(30):
        keys.send_keys(Keys.TAB).perform()
        if browser.switch_to.active_element.tag_name == "svg":
            break
    drawing = browser.switch_to.active_element
    seen: set[str] = set()
    for _ in range(60):
        keys.send_keys(Keys.ARROW_RIGHT).perform()
        at = drawing.get_attribute("aria-activedescendant")
        assert at
        assert browser.find_element(By.ID, at).get_attribute("aria-label")
        seen.add(at)
    assert len(seen) == 19
    keys.send_keys(Keys.HOME).perform()
    first = _run(browser, "return drawing.focused")
    keys.send_keys(Keys.ARROW_DOWN).perform()
    below = _run(browser, "return drawing.focused")
    assert first in _run(browser, "return drawing.rules.inputs[arguments[0]]", below)
    keys.send_keys(Keys.ENTER).perform()
    assert _panel(browser).startswith(f"Record {below}")
    keys.send_keys(Keys.ESCAPE).perform()
    assert _panel(browser).startswith("CACHED: 13 of 13 steps")
    before = _run(browser, "return drawing.view.scale")
    keys.send_keys("+").perform()
    assert _run(browser, "return drawing.view.scale") > before
    keys.send_keys("/").perform()
    assert browser.switch_to.active_element.tag_name == "input"


def test_marks_open_and_close(browser: Chrome, show: Show) -> None:
    show(monorepo(16).plot())
    browser.find_element(By.XPATH, "//button[text()='Whole']").click()
    _painted(browser)
    label = "13 for RUN test service-0000"
    mark = next(e for e in browser.find_elements(By.CLASS_NAME, "cg-group") if label in e.text)
    place = mark.rect
    mark.click()
    frame = browser.find_element(By.CSS_SELECTOR, ".cg-open[aria-expanded=true]")
    assert abs(frame.rect["x"] - place["x"]) < 30
    # What is in it is drawn now, none over another.
    boxes = _run(browser, "return drawing.items.filter(one => !one.frame).map(one => [one.x, one.y, one.w, one.h])")
    assert len(boxes) > 22
    for number, (x, y, w, h) in enumerate(boxes):
        for left, top, wide, high in boxes[number + 1 :]:
            assert x + w <= left or left + wide <= x or y + h <= top or top + high <= y
    browser.find_element(By.CSS_SELECTOR, ".cg-open .cg-close").click()
    assert browser.find_elements(By.CSS_SELECTOR, ".cg-open[aria-expanded=true]") == []


def test_a_jump_opens_what_hides_a_record(browser: Chrome, show: Show) -> None:
    show(monorepo(140).plot())
    field = browser.find_element(By.CSS_SELECTOR, "input[type=search]")
    field.send_keys("install service-0077", Keys.ENTER)
    assert browser.find_element(By.CLASS_NAME, "cg-count").text == "1 of 1"
    selected = browser.find_element(By.CSS_SELECTOR, ".cg-mark.cg-selected")
    assert "install service-0077" in (selected.get_attribute("aria-label") or "")
    box, view = selected.rect, browser.find_element(By.CLASS_NAME, "cg-view").rect
    assert view["x"] <= box["x"]
    assert box["x"] + box["width"] <= view["x"] + view["width"]
    assert view["y"] <= box["y"]
    assert box["y"] + box["height"] <= view["y"] + view["height"]


# --- What is seen ----------------------------------------------------------------------------------------------------


def _seen(browser: Chrome) -> list[int]:
    """Give the records of which the whole mark is in view."""
    found: list[int] = _run(
        browser,
        """const [w, h] = drawing.box(), { scale, x, y } = drawing.view;
        return drawing.items.filter(one => one.id < drawing.count && one.x * scale + x >= 0 && one.y * scale + y >= 0
          && (one.x + one.w) * scale + x <= w && (one.y + one.h) * scale + y <= h).map(one => one.id)""",
    )
    return found


def test_what_is_readable_as_a_whole_opens_as_a_whole(browser: Chrome, show: Show, layouts: Path) -> None:
    show(cg.load(str(layouts / "web-max")).plot())
    assert len(_seen(browser)) == 19
    assert not browser.find_element(By.CLASS_NAME, "cg-map").is_displayed()


def test_what_is_not_opens_readable_where_it_matters_most(browser: Chrome, show: Show) -> None:
    """190 records: at 100 %, at the first step without a result, whose cause stands first."""
    graph = monorepo(13)
    show(graph.plot())
    assert _run(browser, "return drawing.view.scale") == 1
    start = graph.plot().scene.start
    assert start in _seen(browser)
    assert graph.plot().scene.nodes[start or 0].slots != ()
    # No empty space where there is more to see.
    assert _run(browser, "return drawing.view.x") <= 24
    assert len(_seen(browser)) < 60
    browser.find_element(By.XPATH, "//button[text()='Whole']").click()
    _painted(browser)
    assert len(_seen(browser)) == 190
    browser.find_element(By.XPATH, "//button[text()='100 %']").click()
    assert _run(browser, "return drawing.view.scale") == 1
    browser.find_element(By.CLASS_NAME, "cg-view").send_keys("0")
    assert len(_seen(browser)) == 190
    browser.find_element(By.CLASS_NAME, "cg-view").send_keys("1")
    assert _run(browser, "return drawing.view.scale") == 1


def test_the_overview_shows_what_is_seen_and_moves_it(browser: Chrome, show: Show) -> None:
    show(monorepo(13).plot())
    _painted(browser)
    overview = browser.find_element(By.CLASS_NAME, "cg-map")
    rectangle = browser.find_element(By.CLASS_NAME, "cg-seen")
    size, whole = overview.rect, _run(browser, "return [drawing.width, drawing.height, ...drawing.box()]")
    assert rectangle.rect["width"] / (size["width"] - 16) == pytest.approx(whole[2] / whole[0], rel=0.15)
    # A click at the lower right end shows that end of the drawing; dragging to the left end shows that.
    right, low = size["width"] // 2 - 10, size["height"] // 2 - 10
    ActionChains(browser).move_to_element_with_offset(overview, right, low).click().perform()
    _painted(browser)
    assert _run(browser, "return drawing.view.x + drawing.width - drawing.box()[0]") == pytest.approx(-24, abs=1)
    assert rectangle.rect["x"] + rectangle.rect["width"] == pytest.approx(size["x"] + size["width"] - 9, abs=3)
    drag = ActionChains(browser).move_to_element_with_offset(overview, right, low).click_and_hold()
    drag.move_by_offset(-right, 0).move_by_offset(-right, 0).release().perform()
    _painted(browser)
    assert _run(browser, "return drawing.view.x") == 24
    keys = browser.find_element(By.CLASS_NAME, "cg-view")
    keys.send_keys(Keys.SHIFT, Keys.ARROW_RIGHT)
    assert _run(browser, "return drawing.view.x") == 24 - 120


def test_print_has_the_whole_drawing_on_white(browser: Chrome, show: Show) -> None:
    dark = {"media": "print", "features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    show(monorepo(13).plot())
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    text = browser.find_element(By.CSS_SELECTOR, ".cg-mark text")
    assert browser.execute_script("return getComputedStyle(arguments[0]).fill", text) == "rgb(27, 31, 36)"
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    _painted(browser)
    before = _run(browser, "return drawing.view")
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert len(browser.find_elements(By.CSS_SELECTOR, ".cg-mark")) == 190
    box = [
        float(value)
        for value in (browser.find_element(By.CLASS_NAME, "cg-view").get_dom_attribute("viewBox") or "").split()
    ]
    assert box[:2] == [-24, -24]
    assert box[2:] == _run(browser, "return [drawing.width + 48, drawing.height + 48]")
    assert browser.find_element(By.CSS_SELECTOR, ".cg-view > g").get_attribute("transform") == "translate(0 0) scale(1)"
    high, wide = browser.find_element(By.CLASS_NAME, "cg-view").rect["height"], box[2] / box[3]
    assert high == pytest.approx(browser.find_element(By.CLASS_NAME, "cg-view").rect["width"] / wide, rel=0.05)
    browser.execute_script("dispatchEvent(new Event('afterprint'))")
    assert browser.find_element(By.CLASS_NAME, "cg-view").get_dom_attribute("viewBox") is None
    _painted(browser)
    assert _run(browser, "return drawing.view") == before
    assert len(browser.find_elements(By.CSS_SELECTOR, ".cg-mark")) < 100


# --- Surroundings ----------------------------------------------------------------------------------------------------


def _summary(monkeypatch: pytest.MonkeyPatch, services: int) -> cg.CacheGraph:
    monkeypatch.setattr("cachegraph.views.drawing.scene.SUMMARY", 100)
    monkeypatch.setattr("cachegraph.views.drawing.scene.FEW", 1)
    return monorepo(services)


def test_a_record_of_a_summary_opens_a_drawing_of_its_surroundings(
    browser: Chrome, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = _summary(monkeypatch, 20)
    scene = graph.plot().scene
    assert scene.is_summary
    show(graph.plot())
    field = browser.find_element(By.CSS_SELECTOR, "input[type=search]")
    field.send_keys("install service-0007", Keys.ENTER)
    assert browser.find_element(By.CLASS_NAME, "cg-count").text == "1 of 1"
    node = next(place for place, one in enumerate(scene.nodes) if one.name == "RUN install service-0007")
    drawn = _run(browser, "return drawing.items.map(one => one.id)")
    links = graph.graphs[0].links
    down = {other for other in range(len(scene.nodes)) if node in links.above(other)}
    assert set(drawn) == {node, *links.above(node), *down}
    place = browser.find_element(By.CLASS_NAME, "cg-place")
    assert place.text.startswith(f"Around record {node}, RUN install service-0007: {len(drawn)} of ")
    assert _panel(browser).startswith(f"Record {node}\nRUN install service-0007")
    assert node in _seen(browser)
    # Every link between what is drawn is there, each mark below what it takes.
    lines = {tuple(pair) for pair in _run(browser, "return drawing.lines.map(line => [line.from, line.to])")}
    assert lines == {(link, mark) for mark in drawn for link in links.inputs[mark] if link in drawn}
    # However often it is painted, lines that are alternatives stay dashed where they are large enough.
    for _ in range(3):
        dashed = browser.find_element(By.CSS_SELECTOR, ".cg-view .cg-alt").value_of_css_property("stroke-dasharray")
        assert dashed == "5px, 4px"
        _run(browser, "drawing.painted = ''; drawing.paint()")
    tops = dict(_run(browser, "return drawing.items.map(one => [one.id, one.y])"))
    assert all(tops[link] < tops[mark] for link, mark in lines)
    # What it leaves out is said, above and below each mark.
    takers = {mark: [other for other in range(len(scene.nodes)) if mark in links.inputs[other]] for mark in drawn}
    for mark in drawn:
        missing = [len(set(near) - set(drawn)) for near in (links.inputs[mark], takers[mark])]
        assert _run(browser, "return drawing.scene.more.get(arguments[0])", mark) == missing
    assert any(
        "more take it" in (mark.get_attribute("aria-label") or "")
        for mark in browser.find_elements(By.CLASS_NAME, "cg-mark")
    )
    back = place.find_element(By.TAG_NAME, "button")
    back.click()
    assert not browser.find_element(By.CLASS_NAME, "cg-place").is_displayed()
    assert {kind for kind, *_ in _run(browser, "return drawing.scene.groups")} == {"band"}


def test_from_one_to_the_next_and_all_the_way_back(
    browser: Chrome, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(_summary(monkeypatch, 20).plot())
    mark = browser.find_element(By.CSS_SELECTOR, ".cg-group")
    mark.click()
    browser.find_element(By.CSS_SELECTOR, ".cg-details .cg-to").click()
    first = _run(browser, "return drawing.scene.node")
    field = browser.find_element(By.CSS_SELECTOR, "input[type=search]")
    field.send_keys("test service-0011", Keys.ENTER)
    second = _run(browser, "return drawing.scene.node")
    assert second != first
    assert [one.text for one in browser.find_elements(By.CSS_SELECTOR, ".cg-place button")] == [
        "Back",
        "Whole export",
    ]
    browser.find_element(By.CLASS_NAME, "cg-view").send_keys(Keys.BACKSPACE)
    assert _run(browser, "return drawing.scene.node") == first
    assert [one.text for one in browser.find_elements(By.CSS_SELECTOR, ".cg-place button")] == ["Back"]
    view = browser.find_element(By.CLASS_NAME, "cg-view")
    view.send_keys(Keys.ESCAPE)  # ends the choice first
    assert _run(browser, "return [drawing.selected, drawing.scene.node]") == [-1, first]
    view.send_keys(Keys.ESCAPE)
    assert _run(browser, "return drawing.scene.node === undefined")


def test_what_is_far_and_alike_folds_in_surroundings(browser: Chrome, show: Show) -> None:
    """A base that 300 steps of a kind take, behind a chain of 40."""
    records: list[dict[str, object]] = [{"digest": "base"}]
    records += [{"digest": f"leaf {n}", "inputs": [[{"link": 0}]]} for n in range(300)]
    records += [{"digest": f"step {n}", "inputs": [[{"link": 300 + n if n else 0}]]} for n in range(40)]
    show(cg.from_config(json.dumps({"records": records}).encode()).plot())
    _run(browser, "drawing.around(0)")
    groups = _run(browser, "return drawing.scene.groups.map(group => [group[0], group[1], group[2].length])")
    assert [(kind, many) for kind, _, many in groups] == [("fan", 300), ("chain", 38)]
    assert groups[0][1].startswith("300 alike: ")
    assert _run(browser, "return drawing.scene.has.size") == 341
    assert _run(browser, "return drawing.items.length") == 5
    group = next(one for one in browser.find_elements(By.CSS_SELECTOR, ".cg-group") if "in a row" in one.text)
    group.click()
    assert _run(browser, "return drawing.items.length") == 5 + 38
    _run(browser, "drawing.go(340)")
    assert _panel(browser).startswith("Record 340")


def test_surroundings_of_loops(browser: Chrome, show: Show) -> None:
    loop = {
        "records": [{"digest": "r"}]
        + [{"digest": f"a{n}", "inputs": [[{"link": (n + 1) % 50 + 1}, {"link": 0}]]} for n in range(50)]
    }
    show(cg.from_config(json.dumps(loop).encode()).plot())
    for record in (0, 1, 30):
        _run(browser, "drawing.around(arguments[0])", record)
        assert _panel(browser).startswith(f"Record {record}")


def test_the_page_draws_what_the_picture_has(browser: Chrome, show: Show, layouts: Path) -> None:
    """The script and the SVG without one put marks at the same places."""
    drawing = cg.load(str(layouts / "web-churn")).plot()
    show(drawing)
    items = _run(browser, "return drawing.items.map(one => [one.id, one.x, one.y])")
    scene = drawing.scene
    for mark, x, y in items:
        assert x == pytest.approx(scene.layout.xs[mark] - scene.width(mark) / 2, abs=1)
        assert y == scene.layout.layers[mark] * 64


# --- Light, dark, small, and for everybody ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages(layouts: Path, kept: Path, nights: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Reports: the case that started it, one compared with another, several, a long history, and one seen in part."""
    folder = tmp_path_factory.mktemp("reports")
    arguments = {
        "one": [str(layouts / "scratch-file-inline")],
        "compared": [str(layouts / "web-churn"), "--compare", str(layouts / "web-max")],
        "several": [str(layouts / name) for name in ("web-max", "web-multi-inline", "web-oci")],
        "nights": [str(kept), "--names", str(nights / "names")],
    }
    (folder / "many.json").write_bytes(encode(make_config(400)))
    arguments["many"] = [str(folder / "many.json")]
    found = {}
    for name, given in arguments.items():
        (folder / name).mkdir()
        found[name] = _report(folder / name, *given)
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", ["one", "compared", "several", "nights", "many"])
def test_nothing_serious_is_found(
    browser: Chrome, show: Show, pages: dict[str, Path], name: str, scheme: str, width: int
) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        show(pages[name])
        _run(browser, "drawing.go(2)" if name != "many" else "drawing.go(200); drawing.around(200)")
        browser.execute_script(axe().read_text("utf-8"))
        found = browser.execute_async_script("const done = arguments[0]; axe.run().then(done)")
        serious = {
            f"{one['id']}: {one['nodes'][0]['html'][:160]} {one['nodes'][0]['failureSummary']}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
        }
        assert not serious
        assert len(found["passes"]) > 15
        # Nothing hangs over the edge: only tables scroll, in a frame of their own.
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marks_stand_out_from_the_page(browser: Chrome, show: Show, scratch: cg.CacheGraph, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    show(scratch.plot())
    text = browser.find_element(By.CSS_SELECTOR, ".cg-mark text")
    ink = browser.execute_script("return getComputedStyle(arguments[0]).fill", text)
    assert ink == ("rgb(230, 237, 243)" if scheme == "dark" else "rgb(27, 31, 36)")


def test_it_works_inside_a_notebook(browser: Chrome, show: Show, named: cg.CacheGraph, tmp_path: Path) -> None:
    page = tmp_path / "notebook.html"
    page.write_text(f"<!doctype html><title>whole</title>{named.plot()._repr_html_()}")
    show(page)
    browser.switch_to.frame(browser.find_element(By.TAG_NAME, "iframe"))
    field = browser.find_element(By.CSS_SELECTOR, "input[type=search]")
    field.send_keys("lost root", Keys.ENTER)
    assert _panel(browser).startswith("Record 1\n")
    browser.switch_to.default_content()
    assert browser.title == "whole"


def test_much_data_is_unpacked_inside_a_notebook_too(
    browser: Chrome, show: Show, large: cg.CacheGraph, tmp_path: Path
) -> None:
    """In a frame without an origin, under a policy that lets nothing in."""
    page = tmp_path / "notebook.html"
    page.write_text(f"<!doctype html><title>whole</title>{large.plot()._repr_html_()}")
    show(page)
    browser.switch_to.frame(browser.find_element(By.TAG_NAME, "iframe"))
    WebDriverWait(browser, 10).until(lambda _: browser.find_elements(By.CLASS_NAME, "cg-view"))
    assert _run(browser, "return drawing.count") == 5000
    browser.switch_to.default_content()


# --- The report ------------------------------------------------------------------------------------------------------


def test_a_stranger_finds_the_lost_step(browser: Chrome, show: Show, pages: dict[str, Path]) -> None:
    """What is wrong stands first, with a cure; one click shows the step, its layer and what it costs."""
    show(pages["one"])
    text = browser.find_element(By.TAG_NAME, "body").text
    assert text.index("What to do") < text.index("1 operation on scratch keeps no result") < text.index("The records")
    assert "copy from a base image instead of starting on scratch" in text
    step = browser.find_element(By.CSS_SELECTOR, ".r-causes .cg-to")
    assert step.text == "#1 mkdir /d, mkfile /d/f"
    step.click()
    panel = _panel(browser)
    assert "mkdir /d, mkfile /d/f" in panel
    assert "lost root: layers in a merge, not loadable apart" in panel
    assert "If it changes, 1 record no longer matches." in panel
    assert "It brought layer 2 of record 2" in panel


def test_tables_sort_and_follow_the_search(browser: Chrome, show: Show, pages: dict[str, Path]) -> None:
    show(pages["compared"])
    table = browser.find_element(By.ID, "e0-table")

    def column(number: int) -> list[str]:
        return [
            row.find_elements(By.TAG_NAME, "td")[number].text
            for row in table.find_elements(By.CSS_SELECTOR, "tbody tr")
        ]

    assert len(column(0)) == 41
    head = table.find_elements(By.CSS_SELECTOR, "th button")[6]
    head.click()
    assert [int(text) for text in column(6)] == sorted(int(text) for text in column(6))
    head.click()
    assert [int(text) for text in column(6)] == sorted((int(text) for text in column(6)), reverse=True)
    assert table.find_elements(By.TAG_NAME, "th")[6].get_attribute("aria-sort") == "descending"
    browser.find_element(By.CSS_SELECTOR, "input[type=search]").send_keys("key only")
    assert set(column(2)) == {"key only"}
    table.find_element(By.CSS_SELECTOR, "tbody .cg-to").click()
    assert _panel(browser).startswith(f"Record {column(0)[0]}")


def test_lists_have_the_line_of_each_step(browser: Chrome, show: Show, layouts: Path, tmp_path: Path) -> None:
    """The drawing has room for the beginning of a name; the stages and the table say where the step stands."""
    show(_report(tmp_path, str(layouts / "web-oci"), "--names", str(layouts / "web-prov")))
    called = "#9 RUN echo installing && mkdir node_module…o dep > node_modules/dep (Dockerfile:4)"
    for part in ("causes", "stages"):
        steps = browser.find_elements(By.CSS_SELECTOR, f".r-{part} .cg-to")
        assert [step.text for step in steps if step.text.startswith("#9 ")] == [called]
    assert called in browser.find_element(By.ID, "e0-table").text


def test_overlays_change_colours_and_words(browser: Chrome, show: Show, pages: dict[str, Path]) -> None:
    show(pages["compared"])
    choice = browser.find_element(By.CSS_SELECTOR, ".cg-bar select")
    titles = [option.text for option in choice.find_elements(By.TAG_NAME, "option")]
    assert titles == [
        "What changed",
        "Had the build imported the older export",
        "What a change costs",
        "What the cache holds",
        "Bytes that each step adds",
    ]
    legends = set()
    for option in choice.find_elements(By.TAG_NAME, "option"):
        option.click()
        legends.add(browser.find_element(By.CLASS_NAME, "cg-legend").text)
    assert len(legends) == 5


@pytest.mark.parametrize("width", [1280, 400])
def test_a_month_of_exports_is_a_table_to_read(browser: Chrome, show: Show, pages: dict[str, Path], width: int) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        show(pages["nights"])
        frame = browser.find_element(By.CSS_SELECTOR, "[aria-label^='Earlier exports']")
        cells = [
            [cell.text for cell in row.find_elements(By.TAG_NAME, "td")]
            for row in frame.find_elements(By.CSS_SELECTOR, "tbody tr")
        ]
        assert len(cells) == 22  # the builds in which nothing ran wrote the same export again
        assert cells[5] == [
            "export 6",
            "2026-10-08 02:00",
            "14 of 14",
            "14 of 14",
            "95.8 KiB",
            "20.0 KiB",
            "All 14 steps ran: another base image under RUN pkg install libc (Dockerfile:2)",
        ]
        # A sentence is at most six lines high, on a phone too.
        rows = frame.find_elements(By.CSS_SELECTOR, "tbody tr")
        assert max(row.size["height"] for row in rows) < 150
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_of_several_exports_the_worst_comes_first(browser: Chrome, show: Show, pages: dict[str, Path]) -> None:
    show(pages["several"])
    words = [e.text for e in browser.find_elements(By.CSS_SELECTOR, "#overview + div .r-word")]
    assert words == ["PARTLY CACHED", "PARTLY CACHED", "PARTLY CACHED", "CACHED"]
    assert browser.execute_script("return window.cachegraph.drawings.length") == 4


def test_hostile_texts_stay_texts(browser: Chrome, show: Show, hostile: str, tmp_path: Path) -> None:
    """In a digest, a selector and the name of the file; in the page, the picture, the data and the tables."""
    config = {"records": [{"digest": hostile}, {"digest": "d", "inputs": [[{"link": 0, "selector": hostile}]]}]}
    path = tmp_path / "<img src=x onerror=document.title=1>.json"
    path.write_text(json.dumps(config))
    show(_report(tmp_path, str(path)))
    assert browser.find_elements(By.TAG_NAME, "img") == []
    assert "broken" not in browser.title
    _run(browser, "drawing.go(0)")
    assert "onerror" in _panel(browser)


_ODD: dict[str, list[Any]] = {
    "nothing": [],
    "one": [{"digest": "alone"}],
    "a loop of a thousand": [{"digest": "r"}]
    + [{"digest": f"c{n}", "inputs": [[{"link": n % 999 + 1}], [{"link": 0}]]} for n in range(1, 1000)],
    "a thousand sources": [{"digest": f"{n}"} for n in range(1000)],
    "two thousand inputs": [{"digest": f"{n}"} for n in range(2000)]
    + [{"digest": "step", "inputs": [[{"link": n}] for n in range(2000)]}],
    "two thousand alternatives": [{"digest": f"{n}"} for n in range(2000)]
    + [{"digest": "step", "inputs": [[{"link": n} for n in range(2000)]]}],
    "three thousand in a row": [{"digest": "0"}]
    + [{"digest": f"{n}", "inputs": [[{"link": n - 1}]]} for n in range(1, 3000)],
    "names": [
        {"digest": text}
        for text in (
            "\u202egnp.exe",
            "\x00\x1b[31m\n",
            "<script>document.title='broken'</script>",
            "x" * 20_000,
            "\U0001f600" * 40,
        )
    ],
}
_USE = """
    const longest = { of: "", ms: 0 }, took = (of, act) => {
      const start = performance.now(); act(); drawing.paint()
      const ms = performance.now() - start
      if (ms > longest.ms) { longest.of = of; longest.ms = ms }
    }
    for (const node of new Set([0, drawing.count >> 1, drawing.count - 1])) {
      took("go", () => drawing.go(node))
      took("around", () => drawing.around(node))
      took("back", () => drawing.leave())
    }
    took("search", () => { drawing.field.value = "record"; drawing.search(); drawing.jump(1) })
    drawing.scene.groups.forEach((group, at) => drawing.scene.open.add(drawing.count + at))
    took("open all", () => drawing.arrange()); took("whole", () => drawing.toWhole())
    for (const key of ["Home", "ArrowDown", "ArrowRight", "End", "ArrowUp", "Enter", "Escape"])
      took(key, () => drawing.svg.dispatchEvent(new KeyboardEvent("keydown", { key })))
    took("print", () => drawing.print(true)); took("printed", () => drawing.print(false))
    return [longest.of, longest.ms, document.title]
"""


@pytest.mark.parametrize("name", _ODD)
def test_odd_exports(browser: Chrome, show: Show, tmp_path: Path, name: str) -> None:
    """Nothing stands in the console, nothing hangs, and what is text stays text."""
    config = tmp_path / "odd.json"
    config.write_text(json.dumps({"records": _ODD[name]}))
    show(_report(tmp_path, str(config)))
    browser.execute_async_script("window.cachegraph.ready.then(arguments[0])")
    drawn = browser.execute_script("return window.cachegraph.drawings.map(drawing => drawing.count)")
    assert drawn == ([len(_ODD[name])] if _ODD[name] else [])
    if drawn:
        what, took, title = _run(browser, _USE)
        assert took < 3000, what
        assert title == "Cache report: odd.json"
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 1280


@pytest.mark.slow
def test_five_thousand_records(browser: Chrome, show: Show, large: cg.CacheGraph, tmp_path: Path) -> None:
    """Under 3 MB, and a search is answered in under a second; panning stays smooth."""
    config = tmp_path / "large.json"
    config.write_bytes(encode(large.graphs[0].export.config))
    page = _report(tmp_path, str(config))
    assert page.stat().st_size < 3_000_000
    start = time.monotonic()
    show(page)
    WebDriverWait(browser, 10).until(lambda _: browser.find_elements(By.CLASS_NAME, "cg-view"))
    assert time.monotonic() - start < 10
    took = _run(
        browser,
        "drawing.field.value = arguments[0]; const start = performance.now(); drawing.search(); drawing.jump(1);"
        "return performance.now() - start",
        "#4321",
    )
    assert took < 1000
    assert _panel(browser).startswith("Record 4321")
    frames = _run(
        browser,
        "drawing.fit(); drawing.paint(); const start = performance.now();"
        "for (let i = 0; i < 20; i++) { drawing.view.x -= 40; drawing.paint() }"
        "return (performance.now() - start) / 20",
    )
    assert frames < 100
