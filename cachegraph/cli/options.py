"""Options that several commands share, and what each of them can do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from cachegraph.reports.model import FAIL_ON

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from cachegraph.stores.neo4j import Neo4jStore

    Type = click.ParamType[str]
else:
    Type = click.ParamType

__all__ = [
    "FAIL_ON",
    "NAMES",
    "SOURCE_OPTIONS",
    "fail_on_option",
    "neo4j_options",
    "not_with",
    "open_store",
    "source_options",
    "split_neo4j",
    "takes",
]

NAMES = "--names"
"""In place of a spec, where a source of names could not be read."""

F = TypeVar("F", bound=Callable[..., Any])

SOURCE_OPTIONS: Mapping[str, str] = {
    "specs": "SPEC",
    "files": "--from-file",
    "probe": "--probe",
    "verify": "--verify",
    "names": "--names",
    "no_names": "--no-names",
    "all_tags": "--all-tags",
    "tags": "--tags",
    "insecure_registry": "--insecure-registry",
    "timeout": "--timeout",
    "concurrency": "--concurrency",
    "limits": "--limit",
}
"""What says which sources are read and how, by parameter."""


class SpecText(Type):
    """What names a source; completed as a path, or as types, keys, values and caches that the project names."""

    name = "spec"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - click's signature
        """Complete what a spec can go on with."""
        from cachegraph.cli.completing import complete_spec

        return complete_spec(incomplete)


def _file(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 - click's signature
    """Let the shell complete a path."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def _limit(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 - click's signature
    """Complete the names of limits."""
    from cachegraph.cli.completing import complete_names
    from cachegraph.loaders.limits import limit_table

    return complete_names((name for name, *_ in limit_table()), incomplete, "=")


def fail_on_option(default: str) -> Callable[[F], F]:
    """Add ``--fail-on``."""
    return click.option(
        "--fail-on",
        type=click.Choice(FAIL_ON),
        default=default,
        show_default=True,
        help="Exit with 1 when a finding is at least this severe.",
    )


def takes(words: str) -> Callable[[F], F]:
    """Say in the usage what a command makes of its specs, such as ``SPEC RECORD``; above `source_options`."""

    def named(command: F) -> F:
        params: list[click.Parameter] = command.__click_params__  # type: ignore[attr-defined]  # what click hangs there
        next(param for param in params if param.name == "specs").metavar = words
        return command

    return named


def source_options(command: F) -> F:
    """Add the specs, and how to read them; in the help, behind what is the command's own."""
    seconds = click.FloatRange(min=0.1)
    decorators: list[Callable[[Any], Any]] = [
        click.option(
            "--from-file",
            "files",
            multiple=True,
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Read the cache entries of a bake file, compose file or workflow as well; may be repeated.",
        ),
        click.option(
            "--probe/--no-probe",
            default=None,
            help="Ask the registry or bucket whether it has each listed blob, or for none. By default check asks for "
            "up to 200; a directory is always looked at.",
        ),
        click.option("--verify", is_flag=True, help="Read every blob of a directory or archive and check its digest."),
        click.option(
            "--names",
            multiple=True,
            metavar="SOURCE",
            shell_complete=_file,
            help="Names of records: cache-debug.db, a debug address, provenance, a Dockerfile; may be repeated.",
        ),
        click.option(
            "--no-names", is_flag=True, help="Do not look for names in a registry's images and in ./Dockerfile."
        ),
        click.option(
            "--all-tags", is_flag=True, help="Read every tag of a directory or of a repository in a registry."
        ),
        click.option(
            "--tags", metavar="GLOB", help="Read the tags of a directory or repository that match, such as 'cache-*'."
        ),
        click.option(
            "--insecure-registry",
            multiple=True,
            metavar="HOST",
            help="Speak plain HTTP to this registry; may be repeated.",
        ),
        click.option("--timeout", type=seconds, default=30, show_default=True, help="Seconds for a request."),
        click.option(
            "--concurrency", type=click.IntRange(1, 64), default=8, show_default=True, help="Requests at once."
        ),
        click.option(
            "--limit",
            "limits",
            multiple=True,
            metavar="NAME=N",
            shell_complete=_limit,
            help="Let a source cost more than usual, such as archive-bytes=64G (docs/security.md); may be repeated.",
        ),
    ]
    own: list[click.Parameter] = list(getattr(command, "__click_params__", ()))
    for decorate in reversed(decorators):
        command = decorate(command)
    params: list[click.Parameter] = command.__click_params__  # type: ignore[attr-defined]  # what click hangs there
    params[:] = [*params[len(own) :], *own]  # click reads it backwards
    specs: Callable[[F], F] = click.argument("specs", nargs=-1, metavar="SPEC...", type=SpecText())
    return specs(command)


def neo4j_options(command: F) -> F:
    """Add ``--neo4j`` and ``--database``."""
    decorators: list[Callable[[Any], Any]] = [
        click.option(
            "--neo4j",
            is_flag=False,
            flag_value="",
            metavar="[URI]",
            help="The Neo4j server; without a URI, NEO4J_URI or the one that `cachegraph neo4j up` started.",
        ),
        click.option("--database", help="Database on the server; without, NEO4J_DATABASE or the user's own."),
    ]
    for decorate in reversed(decorators):
        command = decorate(command)
    return command


def not_with(parameters: Mapping[str, str], reason: str, hint: str) -> None:
    """Refuse parameters that the user gave and that would do nothing here.

    Parameters
    ----------
    parameters : mapping of str to str
        What the user calls each parameter, by its name.
    reason : str
        Why it would do nothing: ``--neo4j asks what was loaded``.
    hint : str
        What to do instead.

    Raises
    ------
    click.UsageError
        Names them.
    """
    given = [shown for name, shown in parameters.items() if _is_given(name)]
    if given:
        raise click.UsageError(f"{_and(given)} cannot be used here: {reason}. {hint}")


def _is_given(name: str) -> bool:
    ctx = click.get_current_context()
    source = ctx.get_parameter_source(name)
    return source in (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT) and bool(ctx.params.get(name, True))


def _and(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def split_neo4j(specs: tuple[str, ...], neo4j: str | None) -> tuple[tuple[str, ...], str | None]:
    """Tell a URI behind ``--neo4j`` from a spec that only happens to follow it."""
    if neo4j and "://" not in neo4j:
        return (neo4j, *specs), None
    return specs, neo4j or None


def open_store(uri: str | None, database: str | None) -> Neo4jStore:
    """Connect to the server that the options, the environment, or the user's own server name."""
    from cachegraph.stores.neo4j import Neo4jStore

    return Neo4jStore.connect(uri, database=database)
