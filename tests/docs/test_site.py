"""The site as a stranger opens it: a folder of files, which asks nobody for anything."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.docs.blocks import ROOT
from tests.servers.programs import axe

pytestmark = pytest.mark.slow
DARK = [{"name": "prefers-color-scheme", "value": "dark"}]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``make docs`` builds; a warning fails it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", str(folder / "trees")]
    done = subprocess.run([*command, "docs", str(folder / "site")], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "site"


class Page(HTMLParser):
    """What a page links, what it loads, and where it can be entered."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag in ("script", "img", "iframe", "source", "video") and "src" in given:
            self.loaded.append(given["src"])
        elif tag == "link" and given.get("rel") in ("stylesheet", "icon", "preload"):
            self.loaded.append(given["href"])


def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}


def test_every_page_is_in_the_site_and_can_be_reached_from_its_first(site: Path) -> None:
    written = {path.relative_to(ROOT / "docs").with_suffix("") for path in (ROOT / "docs").rglob("*.md")}
    assert written <= {path.relative_to(site).with_suffix("") for path in site.rglob("*.html")}
    start = Page((site / "index.html").read_text("utf-8"))
    reached = {(site / urlsplit(link).path).resolve() for link in start.links if not urlsplit(link).scheme}
    assert {(site / page).with_suffix(".html") for page in written} <= reached | {site / "index.html"}


def test_every_link_within_the_site_leads_to_its_place(site: Path) -> None:
    found = pages(site)
    broken = []
    for path, page in found.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or not link:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target not in found or (parts.fragment and unquote(parts.fragment) not in found[target].ids):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []


def test_everything_that_a_page_loads_is_in_the_site(site: Path) -> None:
    loaded = {(path, what) for path, page in pages(site).items() for what in page.loaded}
    missing = {what for path, what in loaded if not (path.parent / urlsplit(what).path).is_file()}
    assert missing == set()
    for style in site.rglob("*.css"):
        assert "@import" not in style.read_text("utf-8")
        assert "url(http" not in style.read_text("utf-8")


@pytest.fixture
def quiet(browser: Chrome) -> Iterator[Chrome]:
    """The browser; afterwards nothing stands in its console, and it asked for files of the site only."""
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    browser.set_window_size(1280, 900)
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get_log("performance")
    yield browser
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    browser.set_window_size(1280, 900)
    assert browser.get_log("browser") == []
    told = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = {one["params"]["request"]["url"] for one in told if one["method"] == "Network.requestWillBeSent"}
    assert any(url.endswith("/site.css") or "/site.css?" in url for url in asked)
    assert {url for url in asked if not url.startswith(("file:", "data:", "about:"))} == set()


def faults(browser: Chrome) -> list[tuple[str, str]]:
    """What axe finds serious, and whether the page is wider than the window."""
    browser.execute_script(axe().read_text("utf-8"))
    script = "const done = arguments[0]; axe.run({preload: false, resultTypes: ['violations']}).then(done)"
    found = [(one["id"], one["impact"]) for one in browser.execute_async_script(script)["violations"]]
    wide = browser.execute_script("return document.documentElement.scrollWidth > innerWidth")
    return [one for one in found if one[1] in ("serious", "critical")] + ([("wide", "serious")] if wide else [])


def test_every_page_can_be_read_on_a_phone_in_the_dark(site: Path, quiet: Chrome) -> None:
    quiet.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": DARK})
    quiet.set_window_size(400, 900)
    found = {}
    for path in sorted(site.rglob("*.html")):
        quiet.get(path.as_uri())
        found[str(path.relative_to(site))] = faults(quiet)
    assert {page: what for page, what in found.items() if what} == {}


@pytest.mark.parametrize("page", ["index", "cache", "cli", "how-to/cold-build", "rules"])
def test_a_page_can_be_read_on_a_screen_by_day(site: Path, quiet: Chrome, page: str) -> None:
    quiet.get((site / f"{page}.html").as_uri())
    assert faults(quiet) == []


def test_a_picture_follows_the_theme_that_the_reader_chose(site: Path, quiet: Chrome) -> None:
    quiet.get((site / "cache.html").as_uri())
    paper = "return getComputedStyle(document.querySelector('.cg-paper')).fill"
    assert quiet.execute_script(paper) == "rgb(255, 255, 255)"
    quiet.execute_script("document.body.dataset.theme = 'dark'")
    assert quiet.execute_script(paper) == "rgb(13, 17, 23)"
    quiet.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": DARK})
    quiet.execute_script("document.body.dataset.theme = 'auto'")
    assert quiet.execute_script(paper) == "rgb(13, 17, 23)"
    quiet.execute_script("document.body.dataset.theme = 'light'")
    assert quiet.execute_script(paper) == "rgb(255, 255, 255)"


def test_what_scrolls_is_reached_by_keyboard_and_nothing_else(site: Path, quiet: Chrome) -> None:
    quiet.get((site / "cache.html").as_uri())
    stops = "return document.querySelectorAll('.picture[tabindex]').length"
    assert quiet.execute_script(stops) == 0
    quiet.set_window_size(400, 900)
    WebDriverWait(quiet, 10).until(lambda _: quiet.execute_script(stops) == 6)  # the merge is narrow


@pytest.mark.parametrize(
    ("asked", "page"),
    [
        ("blast-radius", "Commands"),
        ("shrink", "Shrink a cache"),
        ("lease", "Operations handbook: thousands of refs in Neo4j"),
    ],
)
def test_the_search_works_in_a_file(site: Path, quiet: Chrome, asked: str, page: str) -> None:
    quiet.get((site / "index.html").as_uri())
    box = quiet.find_element(By.CSS_SELECTOR, ".sidebar-search")
    box.send_keys(asked, Keys.ENTER)
    WebDriverWait(quiet, 20).until(lambda _: page in [hit.text for hit in _hits(quiet)])


def _hits(browser: Chrome) -> list[WebElement]:
    return browser.find_elements(By.CSS_SELECTOR, "#search-results li a")
