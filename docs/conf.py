"""The documentation as a site: ``make docs`` builds it into ``build/site``."""

from __future__ import annotations

from docs.tools.site import with_pictures, without_outside_links

project = "cachegraph"
html_title = "cachegraph"
html_theme = "furo"
html_static_path = ["style"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
extensions = ["myst_parser"]
exclude_patterns = ["tools"]
myst_heading_anchors = 3
suppress_warnings = ["misc.highlighting_failure"]  # a part of a file need not be one that a lexer knows
nitpicky = True
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
highlight_language = "none"


def setup(app: object) -> None:
    """Put pictures into the pages, and show what lies outside of the folder as its name."""
    for change in (without_outside_links, with_pictures):
        app.connect("source-read", change)  # type: ignore[attr-defined]  # Sphinx, which calls this
