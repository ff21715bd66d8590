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

__all__ = ["Bake", "bake_file", "specs_in_bake_hcl", "specs_in_bake_json"]

_KEYS: tuple[tuple[str, Direction], ...] = (("cache-from", "from"), ("cache-to", "to"))
_HOLE = re.compile(r"\$\$\{|\$\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_][\w-]*")
_BLOCKS = ("variable", "target", "group")
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
    return list(bake_file(file, text, environ, limits, is_json=False).specs())


def specs_in_bake_json(file: str, text: str, environ: Mapping[str, str], limits: Limits) -> list[FoundSpec]:
    """Find the cache entries of a ``docker-bake.json``.

    Raises
    ------
    cachegraph.errors.DecodeError
        Not a JSON object.
    """
    return list(bake_file(file, text, environ, limits, is_json=True).specs())


def bake_file(file: str, text: str, environ: Mapping[str, str], limits: Limits, *, is_json: bool) -> Bake:
    """Read a bake file.

    Raises
    ------
    cachegraph.errors.MissingExtraError
        The reader of HCL is not installed.
    cachegraph.errors.DecodeError
        Not HCL, or not a JSON object.
    """
    if is_json:
        document = decode_loose(text, f"{file}: not JSON")
        if not isinstance(document, dict):
            raise DecodeError(f"{file}: a bake file is a JSON object")
        blocks = {kind: document.get(kind) for kind in _BLOCKS}
    else:
        blocks = _hcl_blocks(file, text)
    return Bake(file, environ, blocks, limits)


def _hcl_blocks(file: str, text: str) -> dict[str, _Value]:
    """Read the blocks of an HCL file by kind and label."""
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
    return {
        kind: _from_hcl({_label(name): body for block in document.get(kind, ()) for name, body in block.items()})
        for kind in _BLOCKS
    }


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


class Bake:
    """One bake file, its variables at hand.

    Parameters
    ----------
    file : str
    environ : mapping of str to str
    blocks : mapping of str to object
        ``variable``, ``target`` and ``group``, each by label.
    limits : Limits

    Attributes
    ----------
    targets : mapping of str to object
    """

    def __init__(self, file: str, environ: Mapping[str, str], blocks: Mapping[str, _Value], limits: Limits) -> None:
        def block(kind: str) -> dict[str, _Value]:
            found = blocks.get(kind)
            return found if isinstance(found, dict) else {}

        self._budget = ExpansionBudget(file, limits)
        self._file = file
        self._environ = environ
        self._variables = block("variable")
        self._groups = block("group")
        self.targets = block("target")

    @property
    def groups(self) -> dict[str, list[str]]:
        """The members of each group; what only bake works out is left out."""
        found = {}
        for name, group in self._groups.items():
            members = group.get("targets") if isinstance(group, dict) else None
            found[name] = [str(one) for one in members if isinstance(one, str)] if isinstance(members, list) else []
        return found

    def inherited(self, name: str, depth: int = 0) -> dict[str, _Value] | None:
        """Give a target with what it inherits; None if there is none of this name.

        Raises
        ------
        UnresolvedError
            Only bake works it out.
        """
        target = self.targets.get(name)
        if not isinstance(target, dict):
            return None
        if depth > _MAX_DEPTH:
            raise UnresolvedError(f"target {name} inherits itself")
        merged: dict[str, _Value] = {}
        own = {key: self._evaluated(value) for key, value in target.items()}
        parents = own.pop("inherits", None)
        layers = [self.inherited(self.text(one), depth + 1) for one in parents] if isinstance(parents, list) else []
        for layer in (*layers, own):
            for key, value in (layer or {}).items():
                before = merged.get(key)
                if isinstance(before, dict) and isinstance(value, dict):  # arguments and contexts are added to
                    merged[key] = {**before, **value}
                else:
                    merged[key] = value
        return merged

    def specs(self) -> Iterator[FoundSpec]:
        """Find the cache entries of all targets."""
        for name, target in self.targets.items():
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
            attrs = {str(key): self.text(value) for key, value in entry.items()}
            return canonical(attrs.pop("type", ""), attrs)
        return self.text(entry)

    def text(self, value: _Value, depth: int = 0) -> str:
        """Work out a template; numbers and booleans are written as HCL writes them."""
        value = self._evaluated(value, depth)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return str(value)
        if not isinstance(value, str):
            raise UnresolvedError("a list or an object stands where text belongs")

        def fill(hole: re.Match[str]) -> str:
            return self._budget.spent("${" if hole[1] is None else self.text(_Expression(hole[1].strip()), depth + 1))

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
