"""The page on the Python API: what `cachegraph` offers by name, with what its docstrings say."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from functools import cached_property
from importlib import import_module

import cachegraph
from cachegraph import errors

__all__ = ["RESULTS", "api_page"]

RESULTS = {
    "cachegraph.queries.findings": ("Findings",),
    "cachegraph.queries.base": ("Finding",),
    "cachegraph.verdict.verdicts": ("Verdicts",),
    "cachegraph.verdict.model": ("Verdict", "Cause"),
    "cachegraph.solver.rows": ("Rows",),
    "cachegraph.solver.prediction": ("Prediction", "Step"),
    "cachegraph.solver.simulate": ("Simulation",),
    "cachegraph.solver.blast": ("BlastRadius", "Blast"),
    "cachegraph.solver.sources": ("Sources", "SourceShare"),
    "cachegraph.solver.diff": ("Diff", "Change"),
    "cachegraph.solver.causes": ("Explanation", "Miss"),
    "cachegraph.solver.history_rows": ("History", "Point"),
    "cachegraph.solver.why": ("Why", "Reason"),
    "cachegraph.solver.inline_preview": ("InlinePreview", "InlineResult"),
    "cachegraph.building": ("BuildGraph",),
    "cachegraph.builds.dockerbuild.model": ("RecordStep", "CacheImport"),
    "cachegraph.views.html.drawing": ("Drawing",),
    "cachegraph.views.html.record": ("RecordView",),
    "cachegraph.stores.neo4j.summaries": ("WriteSummary", "PruneSummary"),
    "cachegraph.stores.neo4j.values": ("Table",),
    "cachegraph.sampledata.catalogue": ("Samples", "Sample"),
    "cachegraph.loaders.base": ("Options",),
}
"""What the functions and methods take and give, by module: nobody makes these, everybody reads them."""

_SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.MULTILINE)
_FUNCTION = re.compile(r"<function ([\w.]+) at 0x[0-9a-f]+>")
_SKIPPED = {"Examples", "Methods"}


def api_page() -> str:
    """Write the page."""
    parts = [
        "# Python API",
        "<!-- Made by `make docs` from the docstrings; do not edit. -->",
        "`import cachegraph as cg`. Importing it costs nothing; each name is loaded when it is first used. What needs "
        "an extra says which.",
    ]
    for name in sorted(cachegraph.__all__, key=str.casefold):
        found = getattr(cachegraph, name)
        if inspect.isclass(found):
            parts += [f"## `cg.{name}`", *_docstring(found)]
            for member, of in _members(found):
                parts += [f"### `{name}.{member}`", *_called(member, of), *_docstring(of)]
        elif callable(found):
            parts += [f"## `cg.{name}`", *_called(f"cg.{name}", found), *_docstring(found)]
    parts += ["## What they give", "Each of these has what its own description says, and what that of its base says."]
    for module, names in RESULTS.items():
        for name in names:
            found = getattr(import_module(module), name)
            parts += [f"### `{name}`", *_based(found), *_docstring(found)]
            for member, of in _members(found):
                parts += [f"#### `{name}.{member}`", *_called(member, of), *_docstring(of)]
    parts += ["## Errors", *_errors()]
    return "\n\n".join(parts) + "\n"


def _members(documented: type) -> Iterator[tuple[str, object]]:
    """Give what a class has for its users, its unnamed bases included: methods and properties, as in the source."""
    told = set()
    for base in documented.__mro__:
        if base is not documented and _has_a_part(base):
            return
        if not base.__module__.startswith("cachegraph."):
            continue
        for name, found in vars(base).items():
            if name in told or name.startswith("_") or inspect.isclass(found):
                continue
            if callable(found) or isinstance(found, (property, cached_property, classmethod)):
                told.add(name)
                yield name, found


def _has_a_part(documented: type) -> bool:
    """Say whether a class is described in a part of its own."""
    listed = documented.__name__ in RESULTS.get(documented.__module__, ())
    return listed or getattr(cachegraph, documented.__name__, None) is documented


def _based(documented: type) -> Iterator[str]:
    """Name the base that has a part of its own."""
    for base in documented.__mro__[1:]:
        if _has_a_part(base):
            yield f"`{documented.__module__}`, a `{base.__name__}`."
            return
    yield f"`{documented.__module__}`."


def _errors() -> Iterator[str]:
    """Give the tree of errors as their module draws it."""
    before, tree, after = re.split(r"::\n\n|\n\n(?=\S)", (errors.__doc__ or "").partition("\n\n")[2])
    yield "`cachegraph.errors` has all of them. Their exit codes are those of the command line."
    yield f"```text\n{textwrap.dedent(tree).strip()}\n```"
    yield f"{before}{after}".strip()


def _called(name: str, of: object) -> Iterator[str]:
    """Show how something is called; what is read as it stands is not."""
    if isinstance(of, classmethod):
        of = of.__func__
    if callable(of):
        yield f"`{_signature(name, of)}`"


def _signature(name: str, of: Callable[..., object]) -> str:
    signature = inspect.signature(of)
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in signature.parameters.values()
        if parameter.name not in {"self", "cls"}
    ]
    text = str(signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty))
    return name + _FUNCTION.sub(r"\1", text)


def _docstring(of: object) -> Iterator[str]:
    """Turn a NumPy style docstring into paragraphs and lists."""
    first, *sections = _SECTION.split(inspect.getdoc(of) or "")
    yield _prose(first)
    for title, text in zip(sections[::2], sections[1::2], strict=True):
        if title in {"Parameters", "Attributes", "Returns", "Yields", "Raises"}:
            yield f"*{title}*"
            yield "\n".join(_entries(text))
        elif title not in _SKIPPED:
            yield f"*{title}*"
            yield _prose(text)


def _entries(text: str) -> Iterator[str]:
    """Turn ``name : type`` and the lines under it into items of a list."""
    items: list[list[str]] = []
    for line in filter(str.strip, text.splitlines()):
        if line.startswith(" ") and items:
            items[-1].append(line.strip())
        else:
            items.append([line.strip()])
    for head, *meaning in items:
        names, colon, type_ = head.partition(" : ")
        shown = f"{_linked(names)}{': ' * bool(colon)}{_marked(type_)}"
        yield f"- {shown}{'. ' * bool(meaning)}{_marked(' '.join(meaning))}"


def _linked(names: str) -> str:
    """Lead from what a function gives to the part that describes it."""
    name = names.removeprefix("tuple of ").removeprefix("list of ").rpartition(".")[2]
    described = {one for part in RESULTS.values() for one in part} | set(cachegraph.__all__)
    anchor = name.lower() if name not in cachegraph.__all__ else f"cg{name.lower()}"
    return f"[`{names}`](#{anchor})" if name in described and name[:1].isupper() else f"`{names}`"


def _prose(text: str) -> str:
    return _marked(text.strip())


def _marked(text: str) -> str:
    return text.replace("``", "`")
