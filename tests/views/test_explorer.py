"""The explorer's pages in a real browser: what is too large for one drawing is searched, opened and drawn in part."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

import cachegraph as cg
from cachegraph.explorer import pages
from tests.explorer.conftest import Served, serving
from tests.servers.programs import axe


@pytest.fixture(scope="module")
def chain() -> cg.CacheGraph:
    """Give an export of 300 records, each taking the one before; every tenth also another than that."""
    records: list[dict[str, object]] = [{"digest": f"sha256:{0:064x}"}]
    for index in range(1, 300):
        slot = [{"link": index - 1}] + ([{"link": index - 2}] if index % 10 == 0 else [])
        records.append({"digest": f"sha256:{index:064x}", "inputs": [slot]})
    return cg.from_config(json.dumps({"records": records}).encode())


@pytest.fixture
def served(chain: cg.CacheGraph, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """Serve it as one that is too large for a drawing."""
    monkeypatch.setattr(pages, "_WHOLE", 100)
    with serving(chain) as explorer:
        yield explorer


def _items(browser: Chrome) -> list[WebElement]:
    return browser.find_elements(By.CSS_SELECTOR, "#records > li")


def _sound(browser: Chrome) -> None:
    """Nothing in the console, nothing serious for those who cannot see or click."""
    assert [entry for entry in browser.get_log("browser") if "favicon" not in entry["message"]] == []
    browser.execute_script(axe().read_text("utf-8"))
    found = browser.execute_async_script("const done = arguments[0]; axe.run().then(done)")["violations"]
    assert [(one["id"], one["impact"]) for one in found if one["impact"] in ("serious", "critical")] == []


def test_records_are_found_opened_and_drawn(browser: Chrome, served: Served) -> None:
    browser.get(served.address)
    browser.find_element(By.CSS_SELECTOR, "tbody a").click()
    wait = WebDriverWait(browser, 10)
    wait.until(lambda _: len(_items(browser)) == 100)
    assert browser.find_element(By.ID, "count").text == "300 found"
    browser.find_element(By.ID, "more").send_keys(Keys.ENTER)
    wait.until(lambda _: len(_items(browser)) == 200)

    browser.find_element(By.ID, "search").send_keys(f"{120:064x}")
    wait.until(lambda _: browser.find_element(By.ID, "count").text == "1 found")
    button = _items(browser)[0].find_element(By.TAG_NAME, "button")
    assert button.text.startswith("#120 ")
    button.send_keys(Keys.ENTER)
    wait.until(lambda _: len(_items(browser)[0].find_elements(By.CSS_SELECTOR, "ul > li")) == 2)
    assert "Slot 0, any one of:" in _items(browser)[0].text
    taken = [one.text for one in _items(browser)[0].find_elements(By.CSS_SELECTOR, "div > ul > li button")]
    assert [text.split()[0] for text in taken] == ["#119", "#118"]
    assert button.get_attribute("aria-expanded") == "true"
    _sound(browser)

    browser.find_element(By.LINK_TEXT, "Draw its surroundings").click()
    wait.until(lambda _: browser.find_elements(By.CSS_SELECTOR, "svg"))
    selected = browser.find_element(By.CSS_SELECTOR, ".cg-mark.cg-selected")
    assert "#120" in (selected.get_attribute("aria-label") or "")
    assert browser.find_element(By.CLASS_NAME, "cg-details").text.startswith("Record 120")
    _sound(browser)


def test_the_overview_is_sound_in_the_dark_and_on_a_phone(browser: Chrome, served: Served) -> None:
    features = [{"name": "prefers-color-scheme", "value": "dark"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.set_window_size(400, 800)
    try:
        browser.get(served.address)
        assert browser.find_element(By.CSS_SELECTOR, "tbody .word").text == "COLD"
        _sound(browser)
        assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    finally:
        browser.set_window_size(1280, 900)
