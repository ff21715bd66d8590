"""The list of rooms in the architecture page: each package with the first line of its ``__init__``."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

__all__ = ["architecture_page", "rooms"]

ROOT = Path(__file__).parents[2]
_SECTION = re.compile(r"(<!-- rooms: [^\n]*-->\n).*?(<!-- end of rooms -->)", re.DOTALL)


def rooms() -> str:
    """Write the table: where each package is, and what its first line says."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    lines = ["| room | what lives there |", "| --- | --- |"]
    for package in settings["packages"]:
        nearest = max((name for name in settings["package-dir"] if f"{package}.".startswith(f"{name}.")), key=len)
        folder = settings["package-dir"][nearest] + package.removeprefix(nearest).replace(".", "/")
        docstring = ast.get_docstring(ast.parse((ROOT / folder / "__init__.py").read_text("utf-8"))) or ""
        lines.append(f"| [`{folder}/`](../{folder}/) | {docstring.splitlines()[0]} |")
    return "\n".join(lines)


def architecture_page() -> str:
    """Give the architecture page with the table as it is now; the rest is written by hand."""
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    return _SECTION.sub(lambda found: f"{found[1]}\n{rooms()}\n\n{found[2]}", page)
