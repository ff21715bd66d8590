"""``--format`` and ``--output``: how an answer is written, and where to; several in one run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from cachegraph.cli.output import ROWS, Output
from cachegraph.text.nearest import did_you_mean

__all__ = ["NamedFormat", "output_options"]

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    Type = click.ParamType[Output]
else:
    Type = click.ParamType

F = TypeVar("F", bound=Callable[..., Any])


class NamedFormat(Type):
    """A format, or a format and the file to write: ``json``, ``json=answer.json``.

    Parameters
    ----------
    formats : collection of str
    """

    name = "format"

    def __init__(self, formats: Collection[str]) -> None:
        self.formats = tuple(formats)

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:  # noqa: ARG002 - click's
        """Show the formats in the help."""
        return f"[{'|'.join(self.formats)}][=FILE]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Output:  # noqa: ANN401 - click's signature
        """Read one value."""
        if isinstance(value, Output):
            return value
        name, equals, path = str(value).partition("=")
        if name not in self.formats:
            self.fail(f"there is no format {name!r} ({did_you_mean(name, self.formats, 'formats')})", param, ctx)
        if equals and not path:
            self.fail(f"{value!r} names no file", param, ctx)
        return Output(format=name, path=Path(path) if path else None)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - click's signature
        """Complete the format's name."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(name) for name in self.formats if name.startswith(incomplete)]


def output_options(
    *more: str, only: Sequence[str] = (), default: str | None = "table", letter: bool = True
) -> Callable[[F], F]:
    """Add ``--format`` and ``--output``; the command gets ``outputs``, at least one.

    Parameters
    ----------
    *more : str
        Formats besides those of rows.
    only : sequence of str
        Formats in place of those of rows.
    default : str or None
        None if a format must be given.
    letter : bool
        Take ``-f`` as well; False for a command where it means a Dockerfile.
    """
    formats = only or (*ROWS, *more)

    def decorate(command: F) -> F:
        @wraps(command)
        def wrapped(*args: Any, given: tuple[Output, ...], output: Path | None, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever the command takes
            chosen = given or ((Output(format=default),) if default else ())
            return command(*args, outputs=_placed(chosen, output), **kwargs)

        placed = click.option(
            "--output", "-o", type=click.Path(path_type=Path), help="Write to this file instead of standard output."
        )(wrapped)
        made: Any = click.option(
            "--format",
            *(["-f"] if letter else []),
            "given",
            type=NamedFormat(formats),
            multiple=True,
            required=default is None,
            help=f"How to write the answer{f' (default: {default})' if default else ''}. "
            "With =FILE it goes there, so that one run can write several.",
        )(placed)
        return cast("F", made)

    return decorate


def _placed(given: Sequence[Output], path: Path | None) -> tuple[Output, ...]:
    """Give the formats without a file of their own to ``--output`` or standard output; that can be one only."""
    without = [output.format for output in given if output.path is None]
    if len(without) > 1:
        raise click.UsageError(
            f"--format {without[0]} and {without[1]} would be written to one place: give one a file, "
            f"such as --format {without[1]}=FILE"
        )
    if path is not None and not without:
        raise click.UsageError(f"--output {path} has no format left to write: each --format names its own file")
    return tuple(Output(format=output.format, path=output.path or path) for output in given)
