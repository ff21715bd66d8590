"""The documentation as a site: ``make docs`` builds it into ``build/site``."""

from __future__ import annotations

from docs.tools.site import without_outside_links

project = "cachegraph"
html_title = "cachegraph"
html_theme = "furo"
extensions = ["myst_parser", "sphinxcontrib.mermaid"]
exclude_patterns = ["tools"]
myst_heading_anchors = 3
myst_fence_as_directive = ["mermaid"]
suppress_warnings = ["misc.highlighting_failure"]  # a part of a file need not be one that a lexer knows
html_copy_source = False
highlight_language = "none"


def setup(app: object) -> None:
    """Show what lies outside of the folder as its name."""
    app.connect("source-read", without_outside_links)  # type: ignore[attr-defined]  # Sphinx, which calls this
