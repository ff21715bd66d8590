"""Displays in a real browser: text stays text, light and dark are readable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

import cachegraph as cg

_PAGE = """<!doctype html><meta charset="utf-8"><title>whole</title>
<style>:root {{ color-scheme: light dark; background: Canvas; color: CanvasText }}</style>{body}"""


def _html(shown: object) -> str:
    bundle: dict[str, str] = shown._repr_mimebundle_()  # type: ignore[attr-defined]  # what IPython calls
    return bundle["text/html"]


Show = Callable[[str], None]


@pytest.fixture
def show(browser: Chrome, tmp_path: Path) -> Show:
    def opened(body: str) -> None:
        page = tmp_path / "page.html"
        page.write_text(_PAGE.format(body=body), encoding="utf-8")
        browser.get(page.as_uri())

    return opened


def _seen(hostile: str) -> str:
    return hostile.replace("\x1b", "\N{REPLACEMENT CHARACTER}")


def test_hostile_names_stay_text(browser: Chrome, show: Show, named: cg.CacheGraph, hostile: str) -> None:
    shown = [named, named.check(), named.unreachable_roots(), named.record(1), named.record(2), named.focus(1)]
    show("<hr>".join(map(_html, shown)))
    assert browser.find_elements(By.TAG_NAME, "img") == []
    assert _seen(hostile) in browser.find_element(By.TAG_NAME, "body").text
    assert browser.title == "whole"


def test_hostile_sources_and_refusals_stay_text(browser: Chrome, show: Show, tmp_path: Path) -> None:
    config = tmp_path / "<img src=x onerror=document.title=1>.json"
    config.write_text('{"records": [{"digest": "<img src=x>", "inputs": [[{"link": 9, "selector": "<img>"}]]}]}')
    graph = cg.load(str(config))
    show(_html(graph) + _html(graph.check()) + _html(graph.record(0)))
    assert browser.find_elements(By.TAG_NAME, "img") == []
    text = browser.find_element(By.TAG_NAME, "body").text
    assert "refuses it invalid record ID: 9" in text
    assert "no such record" in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_keeps_the_contrast_of_the_page(browser: Chrome, show: Show, scratch: cg.CacheGraph, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    show(_html(scratch) + _html(scratch.check()) + _html(scratch.record(2)))
    ink = "rgb(255, 255, 255)" if scheme == "dark" else "rgb(0, 0, 0)"
    cells = browser.find_elements(By.CSS_SELECTOR, ".cachegraph td")
    assert len(cells) > 40
    assert {browser.execute_script("return getComputedStyle(arguments[0]).color", cell) for cell in cells} == {ink}


_JUPYTER = """<style>
.jp-RenderedHTMLCommon table { table-layout: fixed; margin: 0 auto; color: #333; font-size: 11px }
.jp-RenderedHTMLCommon tbody tr:nth-child(odd) { background: #222 }
.rendered_html tr, .rendered_html th, .rendered_html td { text-align: right; vertical-align: middle; max-width: none }
.jp-OutputArea .jp-RenderedHTMLCommon td, .jp-OutputArea .jp-RenderedHTMLCommon th { text-align: right; color: #333 }
</style><div class="jp-OutputArea"><div class="jp-RenderedHTMLCommon rendered_html">"""


def test_jupyters_own_styles_do_not_move_the_text(browser: Chrome, show: Show, scratch: cg.CacheGraph) -> None:
    """JupyterLab and Jupyter Notebook align all cells to the right, and a theme's rules may be more specific yet."""
    shown = _html(scratch) + _html(scratch.check()) + _html(scratch.record(2)) + _html(cg.history(scratch.graphs))
    show(f"{shown}{_JUPYTER}{shown}</div></div>")
    look = """return [...document.querySelectorAll(".cachegraph :is(th, td)")].map(cell => {
        const own = getComputedStyle(cell); return [cell.className, own.textAlign, own.color, own.verticalAlign].join()
    })"""
    cells = browser.execute_script(look)
    half = len(cells) // 2
    assert half > 60
    assert cells[half:] == cells[:half]
    assert {cell.split(",")[1] for cell in cells if not cell.startswith("number")} == {"left"}
    assert {cell.split(",")[1] for cell in cells if cell.startswith("number")} == {"right"}


def test_long_lists_are_folded_not_cut(browser: Chrome, show: Show, fleet: cg.CacheGraph) -> None:
    findings = fleet.check()
    show(_html(findings))
    assert len(browser.find_elements(By.CSS_SELECTOR, "tbody tr")) == len(findings) == 58
    folded = browser.find_element(By.TAG_NAME, "details")
    assert folded.get_attribute("open") is None
    assert folded.find_element(By.TAG_NAME, "summary").text == "38 more"
