"""``--ignore``, ``--baseline`` and ``--config``: which findings count, for every command that has findings.

A command takes `judging_options`, gets a `Policy`, asks its `Judge` about each finding, and writes the baseline last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from cachegraph.cli.output import Output, say, write
from cachegraph.reports.baseline import KnownFinding, baseline_text, read_baseline
from cachegraph.reports.judge import Judge
from cachegraph.reports.settings import Setting, find_settings, read_settings, rule_code
from cachegraph.text.rules import CODES
from cachegraph.text.words import plural

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    Type = click.ParamType[str]
else:
    Type = click.ParamType

__all__ = ["JUDGING_OPTIONS", "Policy", "judging_options"]

F = TypeVar("F", bound=Callable[..., Any])

JUDGING_OPTIONS: Mapping[str, str] = {
    "ignore": "--ignore",
    "baseline": "--baseline",
    "write_baseline": "--write-baseline",
    "config": "--config",
}
"""What the user calls each, by parameter."""


class RuleCode(Type):
    """A rule by its code or name."""

    name = "code"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401, ARG002 - click's signature
        """Read one value."""
        return rule_code(str(value))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - click's signature
        """Complete codes and names; a code with its name beside it."""
        from click.shell_completion import CompletionItem

        codes = [CompletionItem(code, help=name) for name, code in CODES.items()]
        names = [CompletionItem(name, help=code) for name, code in CODES.items()]
        return [item for item in (*codes, *names) if item.value.lower().startswith(incomplete.lower())]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the command line and the project's settings say about findings.

    Attributes
    ----------
    settings : tuple of Setting
    ignored : tuple of str
        Codes.
    baseline : pathlib.Path or None
    writes : bool
        Make the baseline instead of reading it.
    """

    settings: tuple[Setting, ...] = ()
    ignored: tuple[str, ...] = ()
    baseline: Path | None = None
    writes: bool = False

    def judge(self) -> Judge:
        """Make what decides on the findings of this run.

        Raises
        ------
        cachegraph.errors.SourceError
            The baseline cannot be read.
        """
        known = read_baseline(self.baseline) if self.baseline is not None and not self.writes else None
        return Judge(self.settings, self.ignored, known)

    def write(self, findings: Iterable[KnownFinding], *, complete: bool) -> None:
        """Write the baseline, if that was asked for.

        Parameters
        ----------
        findings : iterable of KnownFinding
            All that are not ignored.
        complete : bool
            Whether every source was read; else nothing is written, as it would lack their findings.
        """
        if not self.writes or self.baseline is None:
            return
        if not complete:
            say(f"{self.baseline}: not written, as a source could not be read: its findings would be missing")
            return
        kept = list(findings)
        write(baseline_text(kept), Output(format="json", path=self.baseline))
        say(f"{self.baseline}: {plural(len(kept), 'finding')} written; with --baseline alone only others fail")


def judging_options(command: F) -> F:
    """Add ``--ignore``, ``--baseline``, ``--write-baseline`` and ``--config``; the command gets ``policy``."""

    @wraps(command)
    def wrapped(
        *args: Any,  # noqa: ANN401 - whatever the command takes
        ignore: tuple[str, ...],
        baseline: Path | None,
        write_baseline: bool,
        config: Path | None,
        **kwargs: Any,  # noqa: ANN401 - whatever the command takes
    ) -> Any:  # noqa: ANN401 - whatever the command gives
        if write_baseline and baseline is None:
            raise click.UsageError("--write-baseline needs a file: give --baseline FILE")
        found = config or find_settings(Path.cwd())
        policy = Policy(
            settings=read_settings(found) if found else (), ignored=ignore, baseline=baseline, writes=write_baseline
        )
        return command(*args, policy=policy, **kwargs)

    path: Any = click.Path(dir_okay=False, path_type=Path)
    decorators: list[Callable[[Any], Any]] = [
        click.option(
            "--ignore",
            multiple=True,
            metavar="CODE",
            type=RuleCode(),
            help="Leave out the findings of this rule, such as CG105; may be repeated.",
        ),
        click.option("--baseline", type=path, metavar="FILE", help="Let only findings fail that are not in this file."),
        click.option("--write-baseline", is_flag=True, help="Write the findings of this run to the --baseline FILE."),
        click.option(
            "--config",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            metavar="FILE",
            help="Severities of the project (default: cachegraph.toml or pyproject.toml, of this folder or above).",
        ),
    ]
    made: Any = wrapped
    for decorate in reversed(decorators):
        made = decorate(made)
    return cast("F", made)
