"""Builds of actions: what stands in ``with:`` of ``docker/build-push-action``, ``docker/bake-action`` and their kin.

Any action with an input called ``cache-from``, ``cacheFrom`` and the like is taken for one that builds.
Sources: the actions' ``action.yml``; an input lists one thing a line, and some also between commas.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cachegraph.lint.documents import Tree
from cachegraph.lint.drafts import BuildDraft
from cachegraph.lint.entries import entries_of
from cachegraph.lint.expressions import Expressions
from cachegraph.lint.holes import Holes, has_hole
from cachegraph.lint.model import Runner
from cachegraph.lint.options import set_option
from cachegraph.lint.values import Direction, Place, Value

__all__ = ["action_build", "builds_with", "filled_lines"]

_ENTRIES: dict[str, Direction] = {
    "cache-from": "from",
    "cache-to": "to",
    "cachefrom": "from",
    "cacheto": "to",
    "cache_from": "from",
    "cache_to": "to",
    "cache_froms": "from",
    "cache-froms": "from",
}
_SINGLE = {
    "context": "context",
    "path": "context",
    "file": "dockerfile",
    "dockerfile": "dockerfile",
    "target": "target",
    "push": "push",
    "load": "load",
    "builder": "builder",
    "no-cache": "no_cache",
    "pull": "pull",
    "provenance": "provenance",
    "sbom": "sbom",
    "network": "network",
    "shm-size": "shm_size",
}
_LINES = {"outputs": "outputs", "tags": "tags", "secrets": "secrets", "ssh": "ssh", "attests": "attests"}
_COMMAS = {
    "platforms": "platforms",
    "platform": "platforms",
    "allow": "allow",
    "no-cache-filters": "no_cache_filter",
    "add-hosts": "hosts",
    "ulimit": "ulimits",
}
_PAIRS = {"build-args": "args", "build-contexts": "contexts"}
_ENV = re.compile(r"\$\{\{\s{0,20}env\.[\w-]+\s{0,20}\}\}")
_KNOWN = ("build-push-action", "bake-action")


def builds_with(action: str, given: Tree) -> bool:
    """Say whether a step with this action builds."""
    name = action.rpartition("/")[2].lower()
    if name in _KNOWN or action.lower() in ("devcontainers/ci", "useblacksmith/build-push-action"):
        return True
    return any(key.lower() in _ENTRIES for key, _ in given.items())


def action_build(
    action: str, version: str, given: Tree, expressions: Expressions, file: str, path: str, line: int
) -> BuildDraft:
    """Read the build of a step with ``uses:``."""
    name = action.rpartition("/")[2].lower()
    build = BuildDraft(Runner(kind="action", name=action, version=version), line)
    inputs = {key.lower(): value for key, value in given.items()}
    for key, value in inputs.items():
        where = f"{path}.with.{key if key in _ENTRIES and '-' in key else _written(given, key)}"
        if key in _ENTRIES:
            _entries(build, expressions, _ENTRIES[key], value, file, where, is_known=name in _KNOWN)
        elif name == "bake-action":
            _bake(build, expressions, key, value, file, where)
        else:
            _setting(build, expressions, key, value, file, where)
    return build


def _written(given: Tree, lowered: str) -> str:
    return next((key for key, _ in given.items() if key.lower() == lowered), lowered)


def _entries(
    build: BuildDraft,
    expressions: Expressions,
    direction: Direction,
    value: Tree,
    file: str,
    path: str,
    *,
    is_known: bool,
) -> None:
    for line, text, written in filled_lines(value, expressions):
        if not is_known and not has_hole(text) and not any(sign in text for sign in "=/:."):
            continue  # an action that only has an input of this name: `cache-from: true`
        build.entries += entries_of(
            expressions.holes, direction, text, Place(file=file, line=line, path=path), written=written
        )


def _bake(build: BuildDraft, expressions: Expressions, key: str, value: Tree, file: str, path: str) -> None:
    holes = expressions.holes
    if key == "set":
        for line, text, _ in filled_lines(value, expressions):
            place = Place(file=file, line=line, path=path)
            if has_hole(text) and len(text) == 1 and holes.choices(text):
                for choice in holes.unknown(text).choices:
                    told = "".join(part for part in choice.parts if isinstance(part, str))
                    set_option(build, holes, told, place, (choice.when,))
            else:
                set_option(build, holes, text, place)
    elif key in ("files", "targets"):
        for one in _listed(value, expressions, file, path):
            (build.files if key == "files" else build.targets).append(one)
    elif key == "workdir":
        build.directory = _value(value, expressions, file, path)
    elif key == "source":
        build.settings.put("context", _value(value, expressions, file, path))
    else:
        _setting(build, expressions, key, value, file, path)


def _setting(build: BuildDraft, expressions: Expressions, key: str, value: Tree, file: str, path: str) -> None:
    holes = expressions.holes
    if key in _SINGLE:
        build.settings.put(_SINGLE[key], _value(value, expressions, file, path))
    elif key in _LINES:
        for line, text, _ in filled_lines(value, expressions):
            build.settings.add(_LINES[key], holes.value(text, Place(file=file, line=line, path=path)))
    elif key in _COMMAS:
        for one in _listed(value, expressions, file, path):
            build.settings.add(_COMMAS[key], one)
    elif key in _PAIRS:
        for line, text, _ in filled_lines(value, expressions):
            name, equals, inner = text.partition("=")
            if equals:
                build.settings.pair(_PAIRS[key], name, holes.value(inner, Place(file=file, line=line, path=path)))


def _value(value: Tree, expressions: Expressions, file: str, path: str) -> Value:
    return expressions.holes.value(expressions.fill(value.text).strip(), Place(file=file, line=value.line, path=path))


def _listed(value: Tree, expressions: Expressions, file: str, path: str) -> Iterator[Value]:
    for line, text, _ in filled_lines(value, expressions):
        for part in text.split(","):
            if part.strip():
                yield expressions.holes.value(part.strip(), Place(file=file, line=line, path=path))


def filled_lines(value: Tree, expressions: Expressions) -> Iterator[tuple[int, str, str]]:
    """Split an input into lines, each with its line in the file and as it is written; ``#`` begins a comment.

    An expression may bring several lines, and may be written on several. A line that is one variable of
    the environment, and empty, is given as an empty text; what an operator or a default makes empty is meant so.
    """
    source = value.text
    if "${{" not in source:
        for offset, line in enumerate(source.splitlines()):
            if (text := line.strip()) and not text.startswith("#"):
                yield value.line + (0 if value.is_folded else offset), text, text
        return
    at = value.line
    texts: list[str] = [""]
    lines = [at]
    for position, (piece, newlines) in enumerate(expressions.pieces(source)):
        for index, part in enumerate(piece.split("\n")):
            if index:
                at += not position % 2  # those that an expression brings are not in the file
                texts.append("")
                lines.append(at)
            texts[-1] += part
        if position % 2:
            at += newlines
    written = source.splitlines()
    for place, filled in zip(lines, texts, strict=True):
        offset = place - value.line
        said = written[offset].strip() if 0 <= offset < len(written) else ""
        text = filled.strip()
        if (text and not text.startswith("#")) or (not text and len(texts) == 1 and _ENV.fullmatch(said)):
            yield value.line if value.is_folded else place, text, said


def inputs_of(given: Tree, expressions: Expressions, holes: Holes, file: str, path: str) -> Mapping[str, Value]:
    """Read ``with:``, keys in lower case."""
    return {
        key.lower(): holes.value(
            expressions.fill(value.text), Place(file=file, line=value.line, path=f"{path}.with.{key}")
        )
        for key, value in given.items()
    }
