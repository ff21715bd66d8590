"""The pictures of the pages are what the product draws today, and say in words what they show."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import gettempdir
from xml.etree import ElementTree

import pytest

from docs.tools.pictures import PICTURES
from docs.tools.site import picture, with_pictures
from tests.docs.blocks import PAGES, ROOT

FOLDER = ROOT / "docs" / "pictures"
SHOWN = {
    (page, (ROOT / page).parent / target): " ".join(alt.split())
    for page in PAGES
    for alt, target in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", (ROOT / page).read_text("utf-8"))
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_what_is_drawn_today(name: str) -> None:
    """`make docs` writes them anew."""
    assert (FOLDER / f"{name}.svg").read_text("utf-8") == PICTURES[name]()


def test_every_picture_is_shown_and_made() -> None:
    assert {path for _, path in SHOWN} == {FOLDER / f"{name}.svg" for name in PICTURES} == set(FOLDER.iterdir())


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.stem)
def test_a_picture_is_small_and_of_no_machine(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text) < 25_000
    assert str(ROOT) not in text
    assert f"{gettempdir()}/" not in text
    assert " old" not in text


@pytest.mark.parametrize("alt", sorted(set(SHOWN.values())), ids=lambda alt: alt[:20])
def test_a_picture_says_in_a_sentence_what_it_shows(alt: str) -> None:
    assert alt.endswith(".")
    assert len(alt.split()) > 12


def test_in_the_site_a_picture_stands_in_the_page_and_follows_its_theme() -> None:
    source = ["Text.\n\n![What it\nshows & more.](pictures/merge.svg)\n"]
    with_pictures(None, "cache", source)
    assert source[0].startswith("Text.\n\n```{raw} html\n")
    html = source[0].split("html\n", 1)[1].removesuffix("\n```\n")
    root = ElementTree.fromstring(html)
    assert root.find(".//{*}title").text == "What it shows & more."  # type: ignore[union-attr]  # else it fails as well
    style = root.find("style")
    assert style is not None
    assert style.text is not None
    light, _, dark = style.text.partition("@media (prefers-color-scheme: dark)")
    assert 'body[data-theme="dark"] .cg-svg .cg-paper { fill: #0d1117 }' in light
    assert 'body:not([data-theme="light"]) .cg-svg .cg-paper { fill: #0d1117 }' in dark
    assert style.text.count(".cg-svg") == style.text.count("body")


def test_a_drawing_without_dark_colours_is_told() -> None:
    with pytest.raises(ValueError, match="no dark colours"):
        picture("<svg/>", "Nothing.")
