"""The page on the command line: every command with its arguments, options and examples, as Click has them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

import click

from cachegraph.cli.app import GROUPS, app

__all__ = ["cli_page", "commands"]

_MADE = "<!-- Made by `make docs` from the commands' own declarations; do not edit. -->"
_SHARED = 10
"""So many commands have an option of the section on common options."""

_CODES = """| code | meaning |
| --- | --- |
| 0 | done; nothing that was asked to fail did |
| 1 | what `--fail-on`, `--fail-on-miss` and the like ask for was found; of `neo4j status`, that it does not answer |
| 2 | wrong usage: an option, a SPEC or a settings file that cannot be understood, or an extra that is not installed |
| 3 | a source, a server or the output could not be used; what could be read is answered all the same |
| 130 | interrupted |

3 comes before 1: a cache that could not be read is never taken for a clean one. The answer goes to standard output, all
else to standard error, and nothing is coloured in a pipe."""


def commands() -> Iterator[click.Context]:
    """Give a context for each command, those of groups after their group."""
    yield from _below(app, click.Context(app, info_name="cachegraph"))


def _below(group: click.Group, context: click.Context) -> Iterator[click.Context]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found = click.Context(command, info_name=name, parent=context)
        yield found
        if isinstance(command, click.Group):
            yield from _below(command, found)


def cli_page() -> str:
    """Write the page."""
    found = list(commands())
    counts = Counter(key for context in found for key in {_key(option, context) for option in _options(context)})
    shared = {key for key, count in counts.items() if count >= _SHARED}
    parts = [
        "# Commands",
        _MADE,
        "`cachegraph COMMAND --help` says the same in a terminal. A SPEC is what `--cache-from` takes, a path, or an "
        "image reference: [sources](sources.md). Options may stand before and behind it.",
        *(
            _group(heading, [c for c in found if c.command_path.split()[1] in names])
            for heading, names in GROUPS.items()
        ),
        "## Exit codes",
        _CODES,
        "## Common options",
        "What many commands take. Below, a command's own options stand in a table, and these by name.",
        _table({key: option for c in found for option in _options(c) if (key := _key(option, c)) in shared}.values()),
    ]
    for context in found:
        parts += _command(context, shared)
    return "\n\n".join(parts) + "\n"


def _group(heading: str, found: Iterable[click.Context]) -> str:
    lines = "\n".join(f"| [`{c.command_path}`](#{_anchor(c)}) | {_line(c)} |" for c in found)
    return f"**{heading}**\n\n| command | what it does |\n| --- | --- |\n{lines}"


def _command(context: click.Context, shared: set[tuple[str, str]]) -> Iterator[str]:
    command = context.command
    yield f"## `{context.command_path}`"
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f"```text\n{usage}\n```"
    yield _prose(command.help or "")
    options = list(_options(context))
    own = [option for option in options if _key(option, context) not in shared]
    if own:
        yield _table(own)
    common = [f"`{option.opts[0]}`" for option in options if _key(option, context) in shared]
    if common:
        yield f"{'And' if own else 'Options:'} {', '.join(common)}: [common options](#common-options)."
    examples, rest = _epilog(command.epilog or "")
    if examples:
        yield f"```text\n{examples}\n```"
    if rest:
        yield _prose(rest)


def _options(context: click.Context) -> Iterator[click.Option]:
    for parameter in context.command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            yield parameter


def _key(option: click.Option, context: click.Context) -> tuple[str, str]:
    """Give what makes options of two commands the same: how they are written, and what they mean."""
    return _row(option, context)


def _table(options: Iterable[click.Option]) -> str:
    context = click.Context(click.Command("any"))
    rows = [_row(option, context) for option in options]
    return "\n".join(["| option | meaning |", "| --- | --- |", *(f"| {name} | {text} |" for name, text in rows)])


def _row(option: click.Option, context: click.Context) -> tuple[str, str]:
    record = option.get_help_record(context)
    assert record is not None
    names, text = (" ".join(part.split()).replace("|", "\\|") for part in record)
    return f"`{names}`", re.sub(r"  +", " ", text).replace("<", "\\<")


def _line(context: click.Context) -> str:
    return context.command.get_short_help_str(limit=200).replace("|", "\\|")


def _anchor(context: click.Context) -> str:
    return context.command_path.replace(" ", "-")


def _epilog(text: str) -> tuple[str, str]:
    """Part the examples from what is said after them."""
    examples, _, rest = text.removeprefix("\b\n").partition("\n\n")
    return "\n".join(line.strip() for line in examples.splitlines()[1:]), rest


def _prose(text: str) -> str:
    """Give a help text as paragraphs, without Click's marks."""
    paragraphs = [" ".join(part.replace("\b", "").split()) for part in text.split("\n\n")]
    return "\n\n".join(part.replace("*", "\\*").replace("<", "\\<") for part in paragraphs)
