"""Change the code in many small ways and see which changes no test notices: ``python -m tests.mutants PATH``.

A change (a mutant) is killed when a test fails and survives when all pass; one that no input can tell from the original
is equivalent. Each runs in a fork of a process that has the third-party packages loaded already, so that it costs the
tests alone: most die within a second.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib.abc
import importlib.machinery
import itertools
import os
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
TESTS = ("tests/core", "tests/queries", "tests/laws", "tests/loaders/test_config.py")
_OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--hypothesis-profile=quick", "-m", "not slow")
_SECONDS = 120

_COMPARES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.Pow: ast.Mult,
}  # fmt: skip
_CALLS = {"any": "all", "all": "any", "min": "max", "max": "min", "sorted": "list", "reversed": "list"}


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One change of one file: the change `variant` of the node that is visited as number `place`."""

    path: Path
    line: int
    column: int
    what: str
    place: int
    variant: int

    @property
    def module(self) -> str:
        """Name of the module that it changes."""
        return ".".join(self.path.with_suffix("").parts).removesuffix(".__init__")

    def tree(self) -> ast.Module:
        """The file as it is then."""
        seen = -1

        def change(node: ast.AST) -> ast.AST | None:
            nonlocal seen
            seen += 1
            return list(_changes(node))[self.variant][1]() if seen == self.place else node

        tree = _Places(change).visit(ast.parse((ROOT / self.path).read_text("utf-8")))
        assert isinstance(tree, ast.Module)
        return ast.fix_missing_locations(tree)

    def __str__(self) -> str:
        """Say where and what."""
        return f"{self.path}:{self.line}:{self.column}: {self.what}"


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable[[], ast.AST | None]]]:  # noqa: C901 - a table
    """Give each change of a node: what it is, and what stands there then (None: nothing)."""

    def changed(**fields: object) -> Callable[[], ast.AST]:
        def make() -> ast.AST:
            copy = deepcopy(node)
            for name, value in fields.items():
                setattr(copy, name, value)
            return copy

        return make

    match node:
        case ast.Compare(ops=ops):
            for place, op in enumerate(ops):
                if other := _COMPARES.get(type(op)):
                    new = [*ops[:place], other(), *ops[place + 1 :]]
                    yield f"{type(op).__name__} -> {other.__name__}", changed(ops=new)
        case ast.BoolOp(op=op):
            swapped = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield f"{type(op).__name__} -> {type(swapped).__name__}", changed(op=swapped)
        case ast.UnaryOp(operand=operand):
            yield f"{type(node.op).__name__} dropped", lambda: operand
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if other_op := _OPERATORS.get(type(op)):
            yield f"{type(op).__name__} -> {other_op.__name__}", changed(op=other_op())
        case ast.Constant(value=bool() as value):
            yield f"{value} -> {not value}", changed(value=not value)
        case ast.Constant(value=int() as value):
            yield f"{value} -> {value + 1}", changed(value=value + 1)
        case ast.Constant(value=str() as value):
            yield f"{value!r} changed", changed(value="" if value else "mutant")
        case ast.Call(func=ast.Name(id=name), args=[first, *_]) if name in _CALLS:
            arguments = {"keywords": [], "args": [first]} if _CALLS[name] == "list" else {}
            yield f"{name} -> {_CALLS[name]}", changed(func=ast.Name(id=_CALLS[name], ctx=ast.Load()), **arguments)
        case ast.IfExp(test=test) | ast.If(test=test) | ast.While(test=test):
            yield "condition turned round", changed(test=ast.UnaryOp(op=ast.Not(), operand=test))
        case ast.comprehension(ifs=ifs):
            for place in range(len(ifs)):
                yield "filter dropped", changed(ifs=[*ifs[:place], *ifs[place + 1 :]])
        case ast.Expr(value=ast.Call()) | ast.Raise():
            yield "statement dropped", ast.Pass
        case ast.Continue():
            yield "continue -> break", ast.Break
        case ast.Break():
            yield "break -> continue", ast.Continue


class _Places(ast.NodeTransformer):
    """Walk over what is worth changing: no docstrings, annotations, decorators, imports, lists of exports."""

    def __init__(self, change: Callable[[ast.AST], ast.AST | None]) -> None:
        self._change = change

    def visit(self, node: ast.AST) -> ast.AST | None:
        match node:
            case ast.Expr(value=ast.Constant()) | ast.Import() | ast.ImportFrom():
                return node
            case ast.Assign(targets=[ast.Name(id="__all__" | "__slots__")]) | ast.If(test=ast.Name(id="TYPE_CHECKING")):
                return node
            case ast.Assign(value=ast.Subscript(value=ast.Name(id="Literal" | "Annotated"))):
                return node
            case ast.FunctionDef() | ast.ClassDef():
                kept, node.decorator_list = node.decorator_list, []
                if isinstance(node, ast.FunctionDef):
                    node.returns = None
                self.generic_visit(node)
                node.decorator_list = kept
                return node
            case ast.arg():
                node.annotation = None
            case ast.AnnAssign() if node.value is None:
                return node
            case ast.AnnAssign(value=ast.expr() as value):
                node.value = self.visit(value)  # type: ignore[assignment]  # an expression for an expression
                return node
        changed = self._change(node)
        return self.generic_visit(node) if changed is node else changed


def mutants(path: Path) -> list[Mutant]:
    """List every mutant of a file."""
    found: list[Mutant] = []
    places = itertools.count()

    def note(node: ast.AST) -> ast.AST:
        place = next(places)
        for variant, (what, _) in enumerate(_changes(node)):
            at = node.target if isinstance(node, ast.comprehension) else node
            line, column = getattr(at, "lineno", 0), getattr(at, "col_offset", 0)
            found.append(Mutant(path=path, line=line, column=column, what=what, place=place, variant=variant))
        return node

    _Places(note).visit(ast.parse((ROOT / path).read_text("utf-8")))
    return found


class _Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Import one module from its mutant."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(self, fullname: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._mutant.module:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, origin=str(ROOT / self._mutant.path))

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = str(ROOT / self._mutant.path)
        exec(compile(self._mutant.tree(), module.__file__, "exec", dont_inherit=True), module.__dict__)


def survives(mutant: Mutant | None, tests: Sequence[str]) -> bool:
    """Run the tests on a mutant in a fork, or on the code as it stands."""
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))  # one that goes on for ever counts as noticed
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        if mutant is not None:
            sys.meta_path.insert(0, _Loader(mutant))
        code = 1
        with contextlib.suppress(BaseException):
            code = pytest.main([*_OPTIONS, *tests])
        os._exit(code)
    _, status = os.waitpid(child, 0)
    return status == 0


def _load_other_packages(tests: Sequence[str]) -> None:
    """Import what the tests import, and forget this project's own modules again."""
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        pytest.main([*_OPTIONS, "--collect-only", *tests])
    for name in list(sys.modules):
        if name.partition(".")[0] in {"cachegraph", "tests", "docs"} and name != "tests.mutants":
            del sys.modules[name]


def main() -> None:
    """Make mutants, run the tests on a sample of them or on all, and list the survivors."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("paths", nargs="+", type=Path, help="files or folders of the package, such as cachegraph/core")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="what to run on each")
    parser.add_argument("--sample", type=int, help="as many, picked at random; all without")
    parser.add_argument("--seed", type=int, default=1, help="of the pick")
    parser.add_argument("--only", type=Path, help="a file of an earlier run's lines: try these again")
    given = parser.parse_args()
    files = [file for path in given.paths for file in (sorted(path.glob("*.py")) if path.is_dir() else [path])]
    every = [mutant for file in files for mutant in mutants(file)]
    if given.only:
        wanted = set(given.only.read_text("utf-8").splitlines())
        every = [mutant for mutant in every if str(mutant) in wanted]
    elif given.sample and given.sample < len(every):
        every = sorted(random.Random(given.seed).sample(every, given.sample), key=str)
    _load_other_packages(given.tests)
    if not survives(None, given.tests):
        sys.exit("the tests fail on the code as it stands: mend that first")
    start, alive = time.monotonic(), 0
    for number, mutant in enumerate(every, 1):
        if survives(mutant, given.tests):
            alive += 1
            print(mutant, flush=True)
        if sys.stderr.isatty():
            print(f"\r{number} of {len(every)}, {alive} alive", end="", file=sys.stderr)
    killed = len(every) - alive
    print(f"{killed} of {len(every)} killed in {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
