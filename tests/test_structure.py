"""The house rules that no linter knows: packaging, the direction of imports, what an import costs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = {"cachegraph.loaders": ROOT / "loaders", "cachegraph.queries": ROOT / "queries"}

ALLOWED = {
    "core": set(),
    "text": set(),
    "schema": {"core", "text"},
    "builds": {"core", "text"},
    "causes": {"core", "builds", "solver", "text"},
    "solver": {"core", "schema", "builds", "text"},
    "loaders": {"core", "builds", "text"},
    "explorer": {"core", "schema", "queries", "text", "verdict", "views"},
    "lint": {"core", "builds", "loaders.limits", "loaders.paths", "loaders.specs", "text"},
    "queries": {"core", "schema", "solver", "text"},
    "sampledata": {"text"},
    "reports": {"loaders.limits", "loaders.paths", "text"},
    "server": {"core", "text"},
    "stores": {"core", "schema", "queries", "text", "server", "loaders.base"},
    "verdict": {"core", "schema", "queries", "text"},
    "views": {"core", "schema", "solver", "queries", "text", "verdict"},
}
"""What each room may import beside itself and the errors. Data flows one way: cli -> views, stores -> queries, core."""


@cache
def modules() -> dict[str, Path]:
    """Every module of the package, by name."""
    found = {}
    for path in (ROOT / "cachegraph").rglob("*.py"):
        if not {"loaders", "queries"} & set(path.relative_to(ROOT / "cachegraph").parts[:1]):
            found[".".join(path.relative_to(ROOT).with_suffix("").parts)] = path
    for package, folder in FOLDERS.items():
        for path in folder.rglob("*.py"):
            found[".".join((package, *path.relative_to(folder).with_suffix("").parts))] = path
    return {name.removesuffix(".__init__"): path for name, path in found.items()}


@cache
def imports(path: Path) -> set[str]:
    """What of the package a module imports when it runs; type checkers' imports do not count."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    every = set(modules())
    return found & every


def test_every_package_is_listed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    packages = {name for name, path in modules().items() if path.name == "__init__.py"}
    assert set(listed) == packages
    assert listed == sorted(listed)


def test_the_links_to_the_top_level_folders_are_there() -> None:
    for package, folder in FOLDERS.items():
        link = ROOT / package.replace(".", "/")
        assert link.is_symlink()
        assert link.resolve() == folder.resolve()


@pytest.mark.parametrize("room", ALLOWED)
def test_imports_point_one_way(room: str) -> None:
    own = f"cachegraph.{room}"
    may = {own, "cachegraph.errors", *(f"cachegraph.{other}" for other in ALLOWED[room])}
    wrong = {
        f"{name} imports {imported}"
        for name, path in modules().items()
        if name == own or name.startswith(f"{own}.")
        for imported in imports(path) - {"cachegraph"}
        if not any(imported == allowed or imported.startswith(f"{allowed}.") for allowed in may)
    }
    assert not wrong


def test_the_page_lists_every_room_above_all_that_it_imports() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    rows = page.split("```text\n")[1].split("```")[0].splitlines()
    floor = {room: number for number, row in enumerate(rows) for room in re.findall(r"(?:^|  )(\w+)  +(?=\S)", row)}
    assert floor.keys() == ALLOWED.keys() | {"cli"}
    for name, path in modules().items():
        room = name.split(".")[1] if "." in name else ""
        for imported in imports(path):
            other = imported.split(".")[1] if "." in imported else ""
            if room in floor and other in floor.keys() - {room, "text"}:
                assert floor[room] < floor[other], f"{name} imports {imported}"


def test_every_room_has_its_rule() -> None:
    rooms = {name.split(".")[1] for name, path in modules().items() if path.name == "__init__.py" and "." in name}
    assert rooms - {"cli"} == set(ALLOWED)


def loaded_by(code: str) -> set[str]:
    """Names of the modules that a fresh interpreter has after some code."""
    script = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


HEAVY = {"jinja2", "matplotlib", "msgspec", "neo4j", "networkx", "numpy", "obstore", "pandas", "rich", "scipy"} | {
    "urllib3"
}


def test_importing_cachegraph_costs_nothing() -> None:
    assert not loaded_by("import cachegraph") & (HEAVY | {"click"})


def test_help_imports_no_command() -> None:
    code = (
        "from click.testing import CliRunner\nfrom cachegraph.cli.app import app\nCliRunner().invoke(app, ['--help'])"
    )
    assert not loaded_by(code) & HEAVY


def test_check_imports_no_more_than_it_needs() -> None:
    code = (
        "from click.testing import CliRunner\nfrom cachegraph.cli.app import app\n"
        "assert CliRunner().invoke(app, ['check', 'tests/data/layouts/scratch-file-inline']).exit_code == 0"
    )
    assert loaded_by(code) & HEAVY == {"msgspec"}


def test_every_module_has_a_docstring_and_one_subject() -> None:
    sizes = {name: path.read_text("utf-8").count("\n") for name, path in modules().items()}
    assert {name: size for name, size in sizes.items() if size > 400} == {}
    assert all(ast.get_docstring(ast.parse(path.read_text("utf-8"))) for path in modules().values())
