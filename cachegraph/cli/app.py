"""The command group: what the commands are, and what becomes of an error.

Commands are imported when they are called: ``cachegraph --help`` imports none of them.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from cachegraph import __version__
from cachegraph.errors import CacheGraphError, MissingExtraError

__all__ = ["COMMANDS", "GROUPS", "LazyGroup", "app"]

GROUPS: dict[str, dict[str, tuple[str, str]]] = {
    "Look at a cache": {
        "check": ("cachegraph.cli.check:check", "Say what a cache is worth, what is wrong, and what to do."),
        "report": ("cachegraph.cli.report:report", "Write it as one HTML page to keep, with a drawing."),
        "serve": ("cachegraph.cli.serve:serve", "Serve such pages and a JSON API, for large caches."),
        "history": ("cachegraph.cli.history:history", "Follow a cache over time: what each build ran, and why."),
        "records": ("cachegraph.cli.records:records", "List what a cache holds, record by record."),
        "show": ("cachegraph.cli.show:show", "Show one record: what it is, what it takes, what takes it."),
        "why": ("cachegraph.cli.why:why", "Say what keeps a record, a layer or a blob."),
        "entries": ("cachegraph.cli.entries:entries", "List what a GitHub Actions cache holds, from anywhere."),
    },
    "Before a build": {
        "lint": ("cachegraph.cli.lint:lint", "Look for what is wrong with how caches are written and read."),
        "predict": ("cachegraph.cli.predict:predict", "Say which steps of a build will be cached, before it runs."),
        "simulate": ("cachegraph.cli.simulate:simulate", "Say what a change would make run again."),
        "blast-radius": (
            "cachegraph.cli.blast_radius:blast_radius",
            "Say for each step and source what its change costs.",
        ),
        "sources": ("cachegraph.cli.sources:sources", "Compare the caches that a build could import."),
        "inline-preview": (
            "cachegraph.cli.inline_preview:inline_preview",
            "Say what an inline cache would keep of a full one.",
        ),
    },
    "After a build": {
        "explain": ("cachegraph.cli.explaining:explain", "Say why the steps of a build ran, by first cause."),
        "diff": ("cachegraph.cli.diff:diff", "Compare two caches: what was gained, what was lost."),
    },
    "Many caches": {
        "load": ("cachegraph.cli.neo4j.load:load", "Load caches into Neo4j."),
        "cypher": ("cachegraph.cli.neo4j.cypher:cypher", "Run Cypher: a question of the library, or your own."),
        "neo4j": ("cachegraph.cli.neo4j.group:neo4j", "Run a Neo4j of your own, and look after what is in it."),
        "export": ("cachegraph.cli.export:export", "Write the graph for other programs."),
    },
    "Help": {
        "sample": ("cachegraph.cli.sample:sample", "Write a real cache that comes with the package, to try."),
        "explain-rule": ("cachegraph.cli.explain:explain_rule", "Explain a kind of finding, and how to cure it."),
        "queries": ("cachegraph.cli.query:queries", "List the questions that check asks."),
        "query": ("cachegraph.cli.query:query", "Ask one of them."),
        "completion": ("cachegraph.cli.completion:completion", "Print what makes a shell complete commands."),
    },
}
"""Headings of the help; below each, command name to where it is defined, and its line."""

COMMANDS = {name: home for group in GROUPS.values() for name, home in group.items()}

_EPILOG = """\b
Examples:
  cachegraph sample cold
  cachegraph check cold/inline.json
  cachegraph check type=registry,ref=registry.example.com/app:cache
  cachegraph predict --cache-from registry.example.com/app:cache .

Exit codes: 0 clean, 1 findings at or above --fail-on, 2 wrong usage, 3 a source could not be read."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called.

    Parameters
    ----------
    headings : dict of str to dict of str to tuple of (str, str)
        ``module:attribute`` and the line in the help, by heading and command.
    """

    def __init__(self, *args: Any, headings: dict[str, dict[str, tuple[str, str]]], **kwargs: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(*args, **kwargs)
        self.headings = headings
        self.homes = {name: home for homes in headings.values() for name, home in homes.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """List the commands in their natural order."""
        return list(self.homes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self.homes:
            from cachegraph.text.nearest import did_you_mean

            hint = did_you_mean(cmd_name, self.homes, "commands")
            raise click.UsageError(f"there is no command {cmd_name!r} ({hint})", ctx)
        module, _, attribute = self.homes[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's own
        """Write the commands' lines without importing them."""
        width = max(map(len, self.homes))  # the same under every heading
        for heading, homes in self.headings.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(width), line) for name, (_, line) in homes.items()])

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,  # noqa: ANN401 - click's signature
    ) -> Any:  # noqa: ANN401 - click's signature
        """Run a command; the one place where an error becomes a line and an exit code."""
        if "_CACHEGRAPH_COMPLETE" in os.environ:
            from cachegraph.cli.completion import register

            register()
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra) or 0
        except SystemExit as exit_:
            code = exit_.code
        except CacheGraphError as error:
            complain(error)
            code = error.exit_code
        except click.ClickException as error:
            code = _show(error)
        except click.Abort:
            click.echo("cachegraph: interrupted", err=True)
            code = 130
        except BrokenPipeError:  # the reader of our output has seen enough
            code = _dropped(0)
        except Exception as error:  # no traceback ever reaches a user
            if os.environ.get("CACHEGRAPH_DEBUG"):
                raise
            complain(CacheGraphError(f"unexpected {type(error).__name__}: {error}"))
            click.echo("This is a bug. CACHEGRAPH_DEBUG=1 shows where; please report it.", err=True)
            code = 3
        sys.exit(_flushed(code))


def _flushed(code: Any) -> Any:  # noqa: ANN401 - what sys.exit takes
    """Write out what still waits, while an error can still be told."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _dropped(code)
    except OSError as error:
        complain(CacheGraphError(f"the answer could not be written: {error.strerror}"))
        return _dropped(3)
    return code


def _dropped(code: Any) -> Any:  # noqa: ANN401 - as above
    from cachegraph.cli.output import drop_output

    drop_output()
    return code


def _show(error: click.ClickException) -> int:
    """Write an error of click's, which quotes what the user typed."""
    text = io.StringIO()
    error.show(text)
    from cachegraph.text.clean import plain

    click.echo(plain(text.getvalue()), err=True, nl=False)
    return error.exit_code


def complain(error: CacheGraphError, about: str = "") -> None:
    """Write an error to standard error, in one line.

    Parameters
    ----------
    error : CacheGraphError
    about : str
        The spec concerned, unless the message names it.
    """
    from cachegraph.cli.output import say
    from cachegraph.text.words import is_about

    where = f"{about}: " if about and not is_about(error.message, about) else ""
    say(f"{where}{error}")


@click.group(
    cls=LazyGroup,
    headings=GROUPS,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    invoke_without_command=True,
)
@click.version_option(__version__, message="cachegraph %(version)s")
@click.pass_context
def app(ctx: click.Context) -> None:
    """Say why a docker build is not cached, what its BuildKit cache holds, and what to change.

    Without a command: which caches the files here name, and which commands look at them. A SPEC, wherever a command
    takes one, is what --cache-from takes, a path, or an image reference.
    """
    if ctx.invoked_subcommand is None:
        _say_where_to_begin(ctx)


def _say_where_to_begin(ctx: click.Context) -> None:
    from cachegraph.cli.here import look_around, told
    from cachegraph.cli.output import TEXT, say, write

    try:
        here = look_around()
    except MissingExtraError as error:
        here = None
        say(f"there are files here that may name caches; reading them needs more packages ({error.hint})")
    lines = [*told(here, TEXT), "", "cachegraph --help lists all commands."] if here else [ctx.get_help()]
    write("\n".join(lines), TEXT)
