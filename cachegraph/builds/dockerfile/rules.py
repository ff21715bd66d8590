"""Lint rules that look at a Dockerfile as a whole; see `cachegraph.builds.dockerfile.checks`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from cachegraph.builds.content.patterns import compile_patterns
from cachegraph.builds.dockerfile import instructions as read
from cachegraph.builds.dockerfile.arguments import declare
from cachegraph.builds.dockerfile.checks import Checks
from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.lines import Node, Tree
from cachegraph.builds.dockerfile.reading import Source
from cachegraph.builds.dockerfile.references import parse_reference
from cachegraph.builds.dockerfile.shell import Lexer

__all__ = ["check_bases", "check_source", "hidden_by"]

_EVERYTHING = frozenset({"*", "**", "**/*"})
_RESERVED = frozenset({"context", "scratch"})


def check_source(tree: Tree, source: Source, checks: Checks) -> None:
    """Check what can be seen before anything is carried out."""
    if not checks.counts:
        return
    for node in tree.nodes:
        if node.empty_continuation:
            checks.report("NoEmptyContinuation", node.end)
        _check_node(node, checks.above(node.comments))
    _check_names(source, checks)
    _check_casing(source, checks)


def _check_node(node: Node, checks: Checks) -> None:
    words = node.arguments.words
    if node.keyword == "maintainer":
        checks.report("MaintainerDeprecated", node.start)
    elif node.keyword == "from" and len(words) == 3:
        if words[2] != words[2].lower():
            checks.report("StageNameCasing", node.start)
        for same in (str.lower, str.upper):
            if node.written == same(node.written):
                if words[1] != same(words[1]):
                    checks.report("FromAsCasing", node.start)
                break
        _check_description([words[2].lower()], node, checks)
    elif node.keyword == "arg":
        _check_description([word.partition("=")[0] for word in words], node, checks)


def _check_description(names: list[str], node: Node, checks: Checks) -> None:
    if node.comments and node.comments[-1].split(" ")[0] not in names:
        checks.report("InvalidDefinitionDescription", node.start, experimental=True)


def _check_names(source: Source, checks: Checks) -> None:
    seen: set[str] = set()
    for stage in source.stages:
        if stage.name in _RESERVED:
            checks.report("ReservedStageName", stage.place.start)
        if stage.name in seen:
            checks.report("DuplicateStageName", stage.place.start)
        seen |= {stage.name} - {""}


def _places(source: Source) -> Iterator[read.Place]:
    for stage in source.stages:
        yield stage.place
        yield from (instruction.place for instruction in stage.instructions)


def _check_casing(source: Source, checks: Checks) -> None:
    keywords = [place.keyword for place in _places(source)]
    lower = sum(word == word.lower() for word in keywords)
    upper = sum(word == word.upper() and word != word.lower() for word in keywords)
    right = str.lower if lower > upper else str.upper
    for place in _places(source):
        if place.keyword != right(place.keyword):
            checks.report("ConsistentInstructionCasing", place.start)


def check_bases(source: Source, lexer: Lexer, arguments: Mapping[str, str], checks: Checks) -> None:
    """Check that every FROM names an image without build arguments as well."""
    if not checks.counts:
        return
    try:
        arguments = declare(source.arguments, arguments, {}, lexer)
    except DockerfileError:
        return
    for stage in source.stages:
        try:
            name = lexer.expand(stage.base, arguments).text
        except DockerfileError:
            return
        try:
            parse_reference(name)
        except DockerfileError:
            checks.report("InvalidDefaultArgInFrom", stage.place.start)


def hidden_by(patterns: tuple[str, ...]) -> Callable[[str], bool] | None:
    """Give what tells whether an ignore file hides a source of COPY for good (``validateCopySourcePath``).

    Parameters
    ----------
    patterns : tuple of str
        With an exception among them, BuildKit does not try to tell, and this is None.
    """
    compiled = compile_patterns(patterns)
    if not patterns or compiled.has_exceptions:
        return None
    hides_all = any(pattern.text in _EVERYTHING for pattern in compiled.patterns)
    return lambda path: (hides_all or path not in (".", "/")) and compiled.match(path)[0]
