"""``cachegraph explain-rule``: what a finding means, an example, and the cure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cachegraph.cli.findings import folded
from cachegraph.cli.formats import output_options
from cachegraph.cli.output import Output, styled, write, write_rows
from cachegraph.cli.rules import rule_named, rules
from cachegraph.text.rules import CODES, Rule

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["explain_rule"]


def _complete(ctx: click.Context, param: click.Parameter, start: str) -> list[CompletionItem]:  # noqa: ARG001 - click's
    from click.shell_completion import CompletionItem

    return [CompletionItem(name) for pair in CODES.items() for name in pair if name.startswith(start)]


@click.command(
    "explain-rule",
    epilog="\b\nExamples:\n  cachegraph explain-rule CG103\n"
    "  cachegraph explain-rule missing-results --format markdown",
)
@click.argument("name", required=False, shell_complete=_complete)
@output_options()
def explain_rule(name: str | None, outputs: tuple[Output, ...]) -> None:
    """Explain a kind of finding by its NAME or code: what it means, an example, what to change.

    Without a NAME, list the rules.
    """
    chosen = rules() if name is None else [rule_named(name)]
    for output in outputs:
        if output.format == "table" and name is not None:
            write(_page(chosen[0], output), output)
        else:
            shown = ("code", "name", "title") if name is None and output.format == "table" else _COLUMNS
            write_rows([{column: getattr(rule, column) for column in _COLUMNS} for rule in chosen], shown, output)


_COLUMNS = ("code", "name", "title", "meaning", "severity", "example", "cure", "link")


def _page(rule: Rule, output: Output) -> str:
    parts = [styled(f"{rule.name} ({rule.code})", output, bold=True), rule.title, ""]
    sections = {"Meaning": rule.meaning, "Severity": rule.severity, "Example": rule.example, "Cure": rule.cure}
    if rule.link:
        sections["More"] = rule.link
    for heading, text in sections.items():
        parts += [styled(heading, output, bold=True)]
        parts += [f"  {folded(line, output, before=2, indent=2)}" for line in text.splitlines()]
        parts.append("")
    return "\n".join(parts[:-1])
