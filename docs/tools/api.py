"""The page on the Python API: what `cachegraph` offers by name, with what its docstrings say."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from functools import cached_property

import cachegraph

__all__ = ["api_page"]

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
                parts += [f"### `{name}.{_signature(member, of)}`", *_docstring(of)]
        elif callable(found):
            parts += [f"## `cg.{_signature(name, found)}`", *_docstring(found)]
    return "\n\n".join(parts) + "\n"


def _members(documented: type) -> Iterator[tuple[str, object]]:
    """Give what a class defines itself for its users: methods and properties, in the order of the source."""
    for name, found in vars(documented).items():
        if not name.startswith("_") and (
            callable(found) or isinstance(found, (property, cached_property, classmethod))
        ):
            yield name, found


def _signature(name: str, of: object) -> str:
    if isinstance(of, classmethod):
        of = of.__func__
    if not callable(of):
        return name
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
        shown = f"`{names}`{': ' * bool(colon)}{_marked(type_)}"
        yield f"- {shown}{'. ' * bool(meaning)}{_marked(' '.join(meaning))}"


def _prose(text: str) -> str:
    return _marked(text.strip())


def _marked(text: str) -> str:
    return text.replace("``", "`")
