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
from cachegraph.errors import CacheGraphError

__all__ = ["COMMANDS", "LazyGroup", "app"]

COMMANDS = {
    "check": ("cachegraph.cli.check:check", "Read exports, ask everything, say what is wrong and what to do."),
    "report": ("cachegraph.cli.report:report", "Write a page that can be kept: what a cache holds, why, what to do."),
    "serve": ("cachegraph.cli.serve:serve", "Serve such pages and a JSON API, for what is too large for a file."),
    "lint": ("cachegraph.cli.lint:lint", "Look for what is wrong with how caches are written and read."),
    "predict": ("cachegraph.cli.predict:predict", "Say which steps of a build will be cached, before it runs."),
    "records": ("cachegraph.cli.records:records", "List the records of exports."),
    "show": ("cachegraph.cli.show:show", "Show one record: what it is, what it takes, what takes it."),
    "query": ("cachegraph.cli.query:query", "Ask one question."),
    "queries": ("cachegraph.cli.query:queries", "List the questions."),
    "explain": ("cachegraph.cli.explaining:explain", "Say why the steps of a build ran, by first cause."),
    "diff": ("cachegraph.cli.diff:diff", "Compare two exports."),
    "history": ("cachegraph.cli.history:history", "Follow a cache through its exports."),
    "why": ("cachegraph.cli.why:why", "Say what keeps a record, a layer or a blob."),
    "inline-preview": (
        "cachegraph.cli.inline_preview:inline_preview",
        "Say what inline cache would keep of a full export.",
    ),
    "explain-rule": ("cachegraph.cli.explain:explain_rule", "Explain a kind of finding, and how to cure it."),
    "simulate": ("cachegraph.cli.simulate:simulate", "Say what a change would make run again."),
    "blast-radius": ("cachegraph.cli.blast_radius:blast_radius", "Say for each step and source what its change costs."),
    "sources": ("cachegraph.cli.sources:sources", "Compare caches for a build."),
    "entries": ("cachegraph.cli.entries:entries", "List what a GitHub Actions cache holds, from anywhere."),
    "sample": ("cachegraph.cli.sample:sample", "Write a real export that comes with the package, to try things on."),
    "export": ("cachegraph.cli.export:export", "Write the graph for other programs."),
    "load": ("cachegraph.cli.neo4j.load:load", "Load exports into Neo4j."),
    "cypher": ("cachegraph.cli.neo4j.cypher:cypher", "Run Cypher: a question of the library, or your own."),
    "neo4j": ("cachegraph.cli.neo4j.group:neo4j", "Run a Neo4j of your own, and look after what is in it."),
    "completion": ("cachegraph.cli.completion:completion", "Print what makes a shell complete commands."),
}
"""Command name to where it is defined, and its line in the help."""

_EPILOG = """\b
Examples:
  cachegraph check ./cache
  cachegraph check type=registry,ref=registry.example.com/app:cache
  cachegraph query missing-results --format json app:latest

Exit codes: 0 clean, 1 findings at or above --fail-on, 2 wrong usage, 3 a source could not be read."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called.

    Parameters
    ----------
    homes : dict of str to tuple of (str, str)
        ``module:attribute`` and the line in the help, by command.
    """

    def __init__(self, *args: Any, homes: dict[str, tuple[str, str]], **kwargs: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(*args, **kwargs)
        self.homes = homes

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
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.homes.items()])

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
    homes=COMMANDS,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    invoke_without_command=True,
)
@click.version_option(__version__, message="cachegraph %(version)s")
@click.pass_context
def app(ctx: click.Context) -> None:
    """See what a BuildKit cache export holds, why a build missed, and what can be deleted.

    Without a command: which caches the files here name, and which commands look at them.
    """
    if ctx.invoked_subcommand is None:
        _say_where_to_begin(ctx)


def _say_where_to_begin(ctx: click.Context) -> None:
    from cachegraph.cli.here import look_around, told
    from cachegraph.cli.output import TEXT, write

    here = look_around()
    lines = [*told(here, TEXT), "", "cachegraph --help lists all commands."] if here else [ctx.get_help()]
    write("\n".join(lines), TEXT)
