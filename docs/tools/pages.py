"""Pages of the documentation that are made from declarations: commands, schema, questions, rules, Cypher.

``python -m docs.tools.pages docs`` writes them, with the pictures (`docs.tools.pictures`), and the Cypher twins of the
questions (`docs.tools.twins`) before; a test holds that they are current.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from pathlib import Path

from cachegraph.lint.rules.catalogue import LINT_RULES
from cachegraph.queries.base import Finding
from cachegraph.queries.catalogue import QUERIES, TOGETHER
from cachegraph.queries.library import CypherFile, library
from cachegraph.schema.declaration import BOOKKEEPING, KEPT, NODES, RELATIONSHIPS, Property
from cachegraph.text.rules import CODES
from cachegraph.views.frames import FRAMES
from docs.tools.api import api_page
from docs.tools.commands import cli_page
from docs.tools.docstrings import typed_attributes
from docs.tools.pictures import PICTURES
from docs.tools.rooms import architecture_page
from docs.tools.twins import FOLDER, twin

__all__ = ["PAGES", "cypher_page", "questions_page", "schema_page"]

_MADE = "<!-- Made by `make docs` from the declarations; do not edit. -->"


def schema_page() -> str:
    """Write the page on labels, relationship types, properties and data frames."""
    parts = [
        "# Schema",
        _MADE,
        "One schema for NetworkX, Neo4j and the data frames. A null property is left out in NetworkX and Neo4j. Times "
        "are UTC with nanoseconds.",
        "## Nodes",
    ]
    for node in NODES:
        parts += [f"### `{node.label}`", f"{node.description} Key: `{node.key}`.", _properties(node.properties)]
    parts.append("## Relationships")
    for declared in RELATIONSHIPS:
        arrow = f"(:{declared.start})-[:{declared.type}]->(:{declared.end})"
        parts += [f"### `{declared.type}`", f"`{arrow}`: {declared.description}"]
        if declared.properties:
            parts.append(_properties(declared.properties))
    parts += [
        "## Bookkeeping",
        "In Neo4j an `Export` has these properties too. Readers ask for `{complete: true}`, and those who want no "
        "history for `{current: true}` as well.",
        _properties(BOOKKEEPING),
        "## Sources and loads",
        "Neo4j keeps two more labels. They belong to no export: `Source.id` is the `source` of its exports.",
    ]
    for node in KEPT:
        parts += [f"### `{node.label}`", f"{node.description} Key: `{node.key}`.", _properties(node.properties)]
    parts += [
        "## Data frames",
        "`graph.exports`, `graph.records` and the others: the properties above, and first the columns that join them.",
    ]
    for name, frame in FRAMES.items():
        index = f"Index: `{'`, `'.join(frame.index)}`." if frame.index else "No index of its own."
        parts += [f"### `graph.{name}`", index]
        if frame.joins:
            parts.append(_properties(join.declared for join in frame.joins))
    return "\n\n".join(parts) + "\n"


def questions_page() -> str:
    """Write the page on the questions."""
    every = (*QUERIES, *TOGETHER)
    parts = [
        "# Questions",
        _MADE,
        "`cachegraph check` asks all of them (those about certain builders if `--buildkit` names one), "
        "`cachegraph query NAME` one, `graph.query(name)` gives the findings in Python.",
        "| code | question | severity |\n| --- | --- | --- |\n"
        + "\n".join(f"| {CODES[query.name]} | [{query.title}](#{query.name}) | {query.severity} |" for query in every),
        "Every finding has these fields, and those of its question:",
        _fields(Finding),
    ]
    common = {field.name for field in fields(Finding)}
    for query in every:
        parts += [
            f"## `{query.name}`",
            f"**{CODES[query.name]}: {query.title}**",
            query.meaning,
            f"Severity: {query.severity}.",
        ]
        own = _fields(query.finding, skip=common)
        if own:
            parts.append(own)
    return "\n\n".join(parts) + "\n"


def rules_page() -> str:
    """Write the page on the rules of ``cachegraph lint``."""
    parts = [
        "# Rules",
        _MADE,
        f"The {len(LINT_RULES)} rules of [`cachegraph lint`](lint.md). Each has an example that it finds fault with, "
        "and one that no rule does; both are tested. No rule guesses: what cannot be decided from the files is not "
        "reported.",
        "| code | rule | severity |\n| --- | --- | --- |\n"
        + "\n".join(f"| {rule.code} | [{rule.title}](#{rule.name}) | {rule.severity} |" for rule in LINT_RULES),
    ]
    for rule in LINT_RULES:
        parts += [
            f"## `{rule.name}`",
            f"**{rule.code}: {rule.title}.** {rule.meaning}",
            f"Severity: {rule.severity}.",
            "Found:",
            *_files(rule.bad, rule.good),
            "Not found:",
            *_files(rule.good, rule.bad),
            f"**Cure.** {rule.cure} [More]({rule.link}).",
        ]
    return "\n\n".join(parts) + "\n"


def _files(files: Mapping[str, str], others: Mapping[str, str]) -> Iterable[str]:
    """Show the files that are not the same on the other side."""
    for name, text in files.items():
        if others.get(name) != text:
            yield f"```{_language(name)}\n# {name}\n{text.strip()}\n```"


def _language(name: str) -> str:
    return {".yml": "yaml"}.get(Path(name).suffix, "dockerfile" if name == "Dockerfile" else "text")


def cypher_page() -> str:
    """Write the page on the Cypher library."""
    names = {query.name for query in QUERIES}
    files = library().values()
    parts = [
        "# Cypher library",
        _MADE,
        "Each file of `queries/*.cypher` runs as it stands in cypher-shell and in Neo4j Browser. Its first line after "
        "the comment, `WITH {...} AS param`, holds the parameters: put other values there, or let "
        "`cachegraph cypher NAME --param NAME=VALUE` bind them. All of them look at complete exports only. What needs "
        "a deep search was computed at load and is read here; `queries/*.pure.cypher` search the graph itself, as a "
        "cross-check on small graphs.",
        "## Questions",
        "The twins of `cachegraph check`; their columns are the fields of the findings.",
        *(_cypher(file) for file in files if file.name in names),
        "## Questions about many refs",
        *(_cypher(file) for file in files if file.name not in names),
    ]
    return "\n\n".join(parts) + "\n"


def _cypher(file: CypherFile) -> str:
    parameters = (f"- `{n}` ({json.dumps(file.defaults[n])}): {text}" for n, text in file.parameters.items())
    columns = (f"- `{name}`: {text}" for name, text in file.columns.items())
    heading = f"### `{file.name}`\n\n**{file.title}.** {file.question} Severity: {file.severity}."
    return "\n".join([heading, "\nParameters, with their defaults:\n", *parameters, "\nColumns:\n", *columns])


def _properties(properties: Iterable[Property]) -> str:
    rows = (f"| `{p.name}` | {p.type} | {p.description} |" for p in properties)
    return "\n".join(["| name | type | meaning |", "| --- | --- | --- |", *rows])


def _fields(finding: type[Finding], skip: Iterable[str] = ()) -> str:
    """List a finding's fields with what its docstring says of them."""
    meanings = typed_attributes(finding)
    names = [field.name for field in fields(finding) if field.name not in set(skip)]
    return "\n".join(f"- `{name}`: {meanings[name]}" for name in names)


PAGES: Mapping[str, Callable[[], str]] = {
    "api.md": api_page,
    "architecture.md": architecture_page,
    "cli.md": cli_page,
    "cypher.md": cypher_page,
    "questions.md": questions_page,
    "rules.md": rules_page,
    "schema.md": schema_page,
}
"""Makes each page, by its file name."""

if __name__ == "__main__":
    for query in QUERIES:  # the page on Cypher lists them
        path = FOLDER / f"{query.name}.cypher"
        path.write_text(twin(query, path.read_text("utf-8")), "utf-8")
    for file_name, page in PAGES.items():
        (Path(sys.argv[1]) / file_name).write_text(page(), "utf-8")
    for picture_name, draw in PICTURES.items():
        (Path(sys.argv[1]) / "pictures" / f"{picture_name}.svg").write_text(draw(), "utf-8")
