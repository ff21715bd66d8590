"""The Cypher library: the files beside this module, as they describe themselves.

Each file begins with a comment block and then a line that holds its parameters::

    // title: Layers that most refs share
    // question: Which layers do most exports share?
    // parameters:
    //   exports: how many exports at least share it
    // columns:
    //   blob: digest of the layer's blob
    // severity: none: it is a list

    WITH {exports: 2} AS param
    MATCH ...

So a file runs as it stands in cypher-shell and Neo4j Browser; other values go into that line. A program binds them
instead: `CypherFile.bound` puts a parameter in the line's place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from cachegraph.errors import UnknownNameError
from cachegraph.text.nearest import did_you_mean

__all__ = ["CypherFile", "get", "library", "parse"]

_DEFAULTS = re.compile(r"^WITH (\{.*\}) AS param$", re.MULTILINE)
_FIELD = re.compile(r"^// (?P<key>\w+):(?: (?P<value>.*))?$")
_ITEM = re.compile(r"^//   (?P<key>\w+): (?P<value>.*)$")
_LISTS = ("parameters", "columns")
_TEXTS = ("title", "question", "severity")


@dataclass(frozen=True, slots=True, kw_only=True)
class CypherFile:
    """A question in Cypher.

    Attributes
    ----------
    name : str
        Name of the file without ``.cypher``; the twin of a question has the question's name.
    title, question, severity : str
    parameters : mapping of str to str
        What each parameter means.
    defaults : mapping of str to value
        What each is unless given.
    columns : mapping of str to str
        What each column means, in order.
    text : str
        The whole file.
    """

    name: str
    title: str
    question: str
    severity: str
    parameters: Mapping[str, str]
    defaults: Mapping[str, Any]
    columns: Mapping[str, str]
    text: str

    def bound(self, params: Mapping[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Give the statement and the parameters to run it with.

        Parameters
        ----------
        params : mapping, optional
            Values that differ from the defaults.

        Raises
        ------
        UnknownNameError
            It has no such parameter.
        """
        for name in params or {}:
            if name not in self.defaults:
                hint = did_you_mean(name, self.defaults, "parameters")
                raise UnknownNameError(f"{self.name}: there is no parameter {name!r}", hint=hint)
        statement = _DEFAULTS.sub("WITH $param AS param", self.text, count=1).rstrip().removesuffix(";")
        return statement, {"param": {**self.defaults, **(params or {})}}


def parse(name: str, text: str) -> CypherFile:
    """Read a file's comment block.

    Parameters
    ----------
    name : str
    text : str

    Raises
    ------
    ValueError
        Something of the block is missing: a mistake of ours.
    """
    texts: dict[str, str] = {}
    lists: dict[str, dict[str, str]] = {key: {} for key in _LISTS}
    current = ""
    for line in text.split("\n\n", 1)[0].splitlines():
        if item := _ITEM.match(line):
            lists[current][item["key"]] = item["value"]
        elif field := _FIELD.match(line):
            current = field["key"]
            texts[current] = field["value"] or ""
    found = _DEFAULTS.search(text)
    if found is None or not all(texts.get(key) for key in _TEXTS) or not all(lists.values()):
        raise ValueError(f"{name}.cypher: its comment block or its line of parameters is not whole")
    defaults = json.loads(re.sub(r"(\w+):", r'"\1":', found[1]))
    if defaults.keys() != lists["parameters"].keys():
        raise ValueError(f"{name}.cypher: parameters {list(defaults)}, described: {list(lists['parameters'])}")
    return CypherFile(
        name=name,
        **{key: texts[key] for key in _TEXTS},
        parameters=lists["parameters"],
        defaults=defaults,
        columns=lists["columns"],
        text=text,
    )


@cache
def library(*, pure: bool = False) -> Mapping[str, CypherFile]:
    """Give the files by name, in alphabetical order.

    Parameters
    ----------
    pure : bool
        Those that search the graph itself instead of reading what the core found: cross-checks, for small graphs.
    """
    files = sorted(
        (file for file in resources.files("cachegraph.queries").iterdir() if file.name.endswith(".cypher")),
        key=lambda file: file.name,
    )
    names = {file.name.removesuffix(".cypher"): file for file in files}
    return {
        name.removesuffix(".pure"): parse(name, file.read_text("utf-8"))
        for name, file in names.items()
        if name.endswith(".pure") == pure
    }


def get(name: str) -> CypherFile:
    """Find a file by name.

    Raises
    ------
    UnknownNameError
        Names the nearest, or all.
    """
    files = library()
    if name not in files:
        raise UnknownNameError(f"there is no Cypher file {name!r}", hint=did_you_mean(name, files, "files"))
    return files[name]
