"""Bake files as syntax: HCL and JSON alike, several that are read together merged as bake merges them.

Source: buildx ``bake/bake.go`` (``ParseFiles``, ``mergeConfig``), ``bake/hclparser``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from cachegraph.core.untrusted import decode_loose
from cachegraph.errors import DecodeError, MissingExtraError
from cachegraph.lint.documents import Tree, yaml_tree
from cachegraph.lint.hcl import Body, HclError, Node, parse_hcl, parse_template
from cachegraph.lint.hcl_values import Function
from cachegraph.loaders.limits import Limits

__all__ = ["BakeSource", "Target", "bake_source", "merged"]

_DEEPEST = 40


@dataclass(slots=True)
class Target:
    """A target: each attribute with the file it stands in and its line."""

    file: str
    line: int
    attributes: dict[str, tuple[str, int, Node]] = field(default_factory=dict)


@dataclass(slots=True)
class BakeSource:
    """What one or several bake files declare."""

    variables: dict[str, Node | None] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    groups: dict[str, Node] = field(default_factory=dict)
    targets: dict[str, Target] = field(default_factory=dict)


def bake_source(file: str, text: str, limits: Limits, *, is_json: bool) -> BakeSource:
    """Read a bake file.

    Raises
    ------
    cachegraph.errors.DecodeError
        Not HCL, or not a JSON object.
    """
    if is_json:
        return _from_json(file, text, limits)
    try:
        return _from_body(file, parse_hcl(text))
    except HclError as error:
        raise DecodeError(f"{file}: {error}") from None


def merged(sources: Iterable[BakeSource]) -> BakeSource:
    """Join sources; what comes later replaces attributes of what comes first."""
    found = BakeSource()
    for source in sources:
        for name, default in source.variables.items():
            if default is not None or name not in found.variables:
                found.variables[name] = default
        found.functions.update(source.functions)
        found.groups.update(source.groups)
        for name, target in source.targets.items():
            before = found.targets.setdefault(name, Target(target.file, target.line))
            before.attributes.update(target.attributes)
    return found


def _from_body(file: str, body: Body) -> BakeSource:
    found = BakeSource()
    found.variables.update(body.attributes)
    for block in body.blocks:
        name = block.labels[0] if block.labels else ""
        inner = block.body
        if block.kind == "variable" and name:
            found.variables[name] = inner.attributes.get("default", found.variables.get(name))
        elif block.kind == "function" and name and "result" in inner.attributes:
            parameters = [str(one.value) for one in inner.attributes.get("params", Node("tuple")).parts]
            rest = inner.attributes.get("variadic_params")
            # `rest` or `[rest]`: both are taken
            last = (rest.parts or (rest,))[0] if rest is not None else None
            found.functions[name] = Function(parameters, str(last.value) if last else "", inner.attributes["result"])
        elif block.kind == "group" and name and "targets" in inner.attributes:
            found.groups[name] = inner.attributes["targets"]
        elif block.kind == "target" and name:
            target = found.targets.setdefault(name, Target(file, block.line))
            for key, node in inner.attributes.items():
                target.attributes[key] = (file, inner.lines.get(key, block.line), node)
    return found


def _from_json(file: str, text: str, limits: Limits) -> BakeSource:
    document = decode_loose(text, f"{file}: not JSON")
    if not isinstance(document, dict):
        raise DecodeError(f"{file}: a bake file is a JSON object")
    try:
        with yaml_tree(file, text, limits) as (tree, _):
            top = _node(tree)
    except (DecodeError, MissingExtraError) as error:  # JSON that is no YAML, or no reader of YAML: without lines
        if "more than" in str(error):
            raise
        top = _plain(document)
    blocks = _pairs(top)
    found = BakeSource()
    for name, node in _pairs(blocks.get("variable")).items():
        found.variables[name] = _pairs(node).get("default")
    for name, node in _pairs(blocks.get("function")).items():
        inner = _pairs(node)
        if "result" in inner:
            parameters = [str(one.value) for one in inner.get("params", Node("tuple")).parts]
            found.functions[name] = Function(parameters, "", inner["result"])
    for name, node in _pairs(blocks.get("group")).items():
        if "targets" in _pairs(node):
            found.groups[name] = _pairs(node)["targets"]
    for name, node in _pairs(blocks.get("target")).items():
        target = Target(file, node.line)
        target.attributes = {key: (file, inner.line, inner) for key, inner in _pairs(node).items()}
        found.targets[name] = target
    return found


def _pairs(node: Node | None) -> dict[str, Node]:
    """Give the members of an object."""
    if node is None or node.kind != "object":
        return {}
    return {str(key.value): value for key, value in zip(node.parts[::2], node.parts[1::2], strict=True)}


def _template(text: str, line: int) -> Node:
    try:
        return parse_template(text, line)
    except HclError:
        return Node("unread", None, (), line)


def _node(tree: Tree, depth: int = 0) -> Node:
    """Read a node of JSON: its texts are templates."""
    line = tree.line
    if depth > _DEEPEST:
        return Node("unread", None, (), line)
    if tree.is_mapping:
        parts = [one for key, value in tree.items() for one in (Node("literal", key), _node(value, depth + 1))]
        return Node("object", None, tuple(parts), line)
    if tree.is_list:
        return Node("tuple", None, tuple(_node(one, depth + 1) for one in tree.elements()), line)
    match tree.tag.rpartition(":")[2]:
        case "null":
            return Node("literal", None, (), line)
        case "bool":
            return Node("literal", tree.text.lower() == "true", (), line)
        case "int" | "float":
            try:
                return Node("literal", float(tree.text), (), line)
            except ValueError:
                return Node("literal", tree.text, (), line)
    return _template(tree.text, line)


def _plain(value: object, depth: int = 0) -> Node:
    if depth > _DEEPEST:
        return Node("unread")
    if isinstance(value, dict):
        parts = [one for key, inner in value.items() for one in (Node("literal", str(key)), _plain(inner, depth + 1))]
        return Node("object", None, tuple(parts))
    if isinstance(value, list):
        return Node("tuple", None, tuple(_plain(one, depth + 1) for one in value))
    if isinstance(value, str):
        return _template(value, 0)
    return Node("literal", float(value) if isinstance(value, int) and not isinstance(value, bool) else value)
