"""The house rules that no linter knows: packaging, the direction of imports, what an import costs."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = {"cachegraph.loaders": ROOT / "loaders", "cachegraph.queries": ROOT / "queries"}

ALLOWED = {
    "cachegraph.core": {"cachegraph.core", "cachegraph.errors"},
    "cachegraph.loaders": {"cachegraph.loaders", "cachegraph.core", "cachegraph.errors"},
    "cachegraph.queries": {"cachegraph.queries", "cachegraph.core", "cachegraph.errors"},
    "cachegraph.stores": {
        "cachegraph.stores",
        "cachegraph.views.rows",
        "cachegraph.queries",
        "cachegraph.loaders.base",
        "cachegraph.core",
        "cachegraph.errors",
    },
    "cachegraph.views": {"cachegraph.views", "cachegraph.queries", "cachegraph.core", "cachegraph.errors"},
}
"""What each package may import. Data flows one way: cli -> views, stores -> queries, loaders -> core."""


def modules() -> dict[str, Path]:
    """Every module of the package, by name."""
    found = {}
    for path in (ROOT / "cachegraph").rglob("*.py"):
        if not {"loaders", "queries"} & set(path.relative_to(ROOT / "cachegraph").parts[:1]):
            found[".".join(path.relative_to(ROOT).with_suffix("").parts)] = path
    for package, folder in FOLDERS.items():
        found |= {f"{package}.{path.stem}": path for path in folder.glob("*.py")}
    return {name.removesuffix(".__init__"): path for name, path in found.items()}


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


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_point_one_way(package: str) -> None:
    wrong = {
        f"{name} imports {imported}"
        for name, path in modules().items()
        if name == package or name.startswith(f"{package}.")
        for imported in imports(path) - {"cachegraph"}
        if not any(imported == allowed or imported.startswith(f"{allowed}.") for allowed in ALLOWED[package])
    }
    assert not wrong


def loaded_by(code: str) -> set[str]:
    """Names of the modules that a fresh interpreter has after some code."""
    script = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


HEAVY = {"httpx", "jinja2", "matplotlib", "msgspec", "neo4j", "networkx", "numpy", "obstore", "pandas", "rich", "scipy"}


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
    assert loaded_by(code) & HEAVY == {"msgspec", "numpy", "rich"}


def test_every_module_has_a_docstring_and_one_subject() -> None:
    sizes = {name: path.read_text("utf-8").count("\n") for name, path in modules().items()}
    assert {name: size for name, size in sizes.items() if size > 420} == {}
    assert all(ast.get_docstring(ast.parse(path.read_text("utf-8"))) for path in modules().values())
