"""Cache entries in bake files.

::

    variable "TAG" { default = "latest" }                 the environment's TAG comes first
    target "web" {
      cache-from = ["type=registry,ref=app:${TAG}",       a template
                    {type = "gha", scope = "web"}]        the same as type=gha,scope=web
      cache-to   = concat(["type=inline"], EXTRA)         an expression: only bake works it out
    }

The same in JSON: ``{"variable": {"TAG": {"default": "latest"}}, "target": {"web": {"cache-from": [..]}}}``.
Source: buildx ``bake/bake.go`` (``Target``, ``Variable``) and ``bake/hclparser``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cachegraph.core.untrusted import decode_loose
from cachegraph.errors import DecodeError, MissingExtraError
from cachegraph.lint.found import Direction, ExpansionBudget, FoundSpec, UnresolvedError
from cachegraph.loaders.limits import Limits
from cachegraph.loaders.specs.parse import canonical

__all__ = ["specs_in_bake_hcl", "specs_in_bake_json"]

_KEYS: tuple[tuple[str, Direction], ...] = (("cache-from", "from"), ("cache-to", "to"))
_HOLE = re.compile(r"\$\$\{|\$\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_][\w-]*")
_MAX_DEPTH = 20  # variables within variables


@dataclass(frozen=True, slots=True)
class _Expression:
    """An HCL expression that is not a literal."""

    source: str


_Value = object  # str (a template), _Expression, number, bool, None, or a list or dict of these


def specs_in_bake_hcl(file: str, text: str, environ: Mapping[str, str], limits: Limits) -> list[FoundSpec]:
    """Find the cache entries of a ``docker-bake.hcl``.

    Raises
    ------
    cachegraph.errors.MissingExtraError
        The reader of HCL is not installed.
    cachegraph.errors.DecodeError
        Not HCL.
    """
    try:
        import hcl2
        from lark.exceptions import LarkError
    except ImportError as error:
        raise MissingExtraError("Reading an HCL file", "files") from error
    try:
        document = hcl2.loads(text, serialization_options=hcl2.SerializationOptions(with_comments=False))
    except (LarkError, RecursionError, ValueError, KeyError, TypeError, AttributeError) as error:
        # The reader's own words quote the file, and so what secrets it holds.
        raise DecodeError(f"{file}: not HCL at line {getattr(error, 'line', '?')}") from None
    blocks = {
        kind: {_label(name): body for block in document.get(kind, ()) for name, body in block.items()}
        for kind in ("variable", "target")
    }
    return list(_Bake(file, environ, _from_hcl(blocks["variable"]), limits).specs(_from_hcl(blocks["target"])))


def specs_in_bake_json(file: str, text: str, environ: Mapping[str, str], limits: Limits) -> list[FoundSpec]:
    """Find the cache entries of a ``docker-bake.json``.

    Raises
    ------
    cachegraph.errors.DecodeError
        Not a JSON object.
    """
    document = decode_loose(text, f"{file}: not JSON")
    if not isinstance(document, dict):
        raise DecodeError(f"{file}: a bake file is a JSON object")
    return list(_Bake(file, environ, document.get("variable"), limits).specs(document.get("target")))


def _from_hcl(value: _Value) -> _Value:
    """Tell templates from expressions, which the reader of HCL gives as quoted and bare text."""
    if isinstance(value, dict):
        return {key: _from_hcl(inner) for key, inner in value.items() if key != "__is_block__"}
    if isinstance(value, list):
        return [_from_hcl(inner) for inner in value]
    if not isinstance(value, str):
        return value
    if not value.startswith('"'):
        return _Expression(value.removeprefix("${").removesuffix("}") if value.startswith("${") else value)
    try:
        return str(decode_loose(value, "no text"))
    except DecodeError:  # a heredoc, or an escape that JSON lacks
        return _Expression(value.strip('"'))


def _label(name: str) -> str:
    """Read the label of a block, which is quoted unless it is a bare word."""
    try:
        return str(decode_loose(name, "no label"))
    except DecodeError:
        return name.strip('"')


def _shown(expression: str) -> str:
    """Name an expression without the literals in it."""
    function = re.match(r"([A-Za-z_]\w*)\s*\(", expression)
    return f"{function[1]}(..)" if function else "an expression that is not a variable"


class _Bake:
    """One bake file, its variables at hand."""

    def __init__(self, file: str, environ: Mapping[str, str], variables: _Value, limits: Limits) -> None:
        self._budget = ExpansionBudget(file, limits)
        self._file = file
        self._environ = environ
        self._variables = variables if isinstance(variables, dict) else {}

    def specs(self, targets: _Value) -> Iterator[FoundSpec]:
        for name, target in targets.items() if isinstance(targets, dict) else ():
            for key, direction in _KEYS:
                entries = target.get(key) if isinstance(target, dict) else None
                yield from self._entries(f"target.{name}.{key}", direction, entries)

    def _entries(self, path: str, direction: Direction, entries: _Value) -> Iterator[FoundSpec]:
        try:
            entries = self._evaluated(entries)
        except UnresolvedError as why:
            yield FoundSpec(file=self._file, path=path, direction=direction, reason=str(why))
            return
        for position, entry in enumerate(
            entries if isinstance(entries, list) else [] if entries is None else [entries]
        ):
            text = reason = None
            try:
                text = self._spec(entry)
            except UnresolvedError as why:
                reason = str(why)
            yield FoundSpec(file=self._file, path=f"{path}[{position}]", direction=direction, text=text, reason=reason)

    def _spec(self, entry: _Value) -> str:
        entry = self._evaluated(entry)
        if isinstance(entry, dict):
            attrs = {str(key): self._text(value) for key, value in entry.items()}
            return canonical(attrs.pop("type", ""), attrs)
        return self._text(entry)

    def _text(self, value: _Value, depth: int = 0) -> str:
        """Work out a template; numbers and booleans are written as HCL writes them."""
        value = self._evaluated(value, depth)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return str(value)
        if not isinstance(value, str):
            raise UnresolvedError("a list or an object stands where text belongs")

        def fill(hole: re.Match[str]) -> str:
            return self._budget.spent("${" if hole[1] is None else self._text(_Expression(hole[1].strip()), depth + 1))

        return self._budget.spent(_HOLE.sub(fill, value))

    def _evaluated(self, value: _Value, depth: int = 0) -> _Value:
        """Replace the name of a variable by its value."""
        while isinstance(value, _Expression):
            name = value.source
            depth += 1
            if _NAME.fullmatch(name) is None:
                raise UnresolvedError(f"only bake works out {_shown(name)}")
            if depth > _MAX_DEPTH:
                raise UnresolvedError(f"variable {name} is defined by itself")
            value = self._variable(name)
        return value

    def _variable(self, name: str) -> _Value:
        if name in self._environ and name in self._variables:
            return self._environ[name].replace("${", "$${")
        definition = self._variables.get(name)
        if definition is None:
            raise UnresolvedError(f"{name} is not a variable of this file")
        default = definition.get("default") if isinstance(definition, Mapping) else None
        if default is None:
            raise UnresolvedError(f"variable {name} has no default and is not set")
        return default
