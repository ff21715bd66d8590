"""``cachegraph predict``: which steps of a build will be cached, before it runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cachegraph.cli.formats import output_options
from cachegraph.cli.output import Output, say
from cachegraph.errors import UsageError

if TYPE_CHECKING:
    from cachegraph.causes.lines import Line
    from cachegraph.core.graph import ExportGraph
    from cachegraph.loaders.base import Options

__all__ = ["predict"]

_EPILOG = """\b
Examples:
  cachegraph predict --cache-from ./cache
  cachegraph predict -f a.Dockerfile --build-arg V=2 --cache-from app:cache .
  cachegraph predict --cache-from ./cache --fail-on-miss 'npm ci'
  cachegraph predict --cache-from ./cache --compare HEAD~1 HEAD
  cachegraph predict --bake docker-bake.hcl app
  docker buildx bake --print app | cachegraph predict --bake - app
  cachegraph predict --workflow .github/workflows/build.yml:release

A step that depends on what another step makes, or on a server that is not asked, is said to be unknown.
Exit codes: 0, 1 with --fail-on-miss if a step runs or may run, 2 wrong usage, 3 something could not be read."""


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(epilog=_EPILOG)
@click.argument("places", nargs=-1, metavar="[CONTEXT]")
@click.option("--file", "-f", "dockerfile", metavar="FILE", help="The Dockerfile; without, the one of the context.")
@click.option("--target", metavar="STAGE", help="The stage to build.")
@click.option("--platform", "platforms", multiple=True, metavar="OS/ARCH", help="Build for this platform.")
@click.option("--build-arg", "build_args", multiple=True, metavar="NAME[=VALUE]", help="As for docker build.")
@click.option("--build-context", "contexts", multiple=True, metavar="NAME=VALUE", help="As for docker build.")
@click.option("--opt", "options", multiple=True, metavar="NAME=VALUE", help="A frontend option, as buildctl takes it.")
@click.option("--no-cache", is_flag=True, help="Every step is told to run.")
@click.option("--no-cache-filter", multiple=True, metavar="STAGE", help="The steps of this stage are told to run.")
@click.option("--network", metavar="MODE", help="Of RUN without --network: default, host or none.")
@click.option("--add-host", "hosts", multiple=True, metavar="HOST=IP", help="As for docker build.")
@click.option("--shm-size", metavar="BYTES", help="As for docker build.")
@click.option("--ulimit", "ulimits", multiple=True, metavar="NAME=SOFT[:HARD]", help="As for docker build.")
@click.option("--cgroup-parent", metavar="NAME", help="As for docker build.")
@click.option("--secret", "secrets", multiple=True, metavar="ID", help="A secret that the build has: id=.. or its id.")
@click.option("--ssh", multiple=True, metavar="ID", help="An SSH agent that the build has.")
@click.option("--allow", multiple=True, metavar="RIGHT", help="A right that the build has, such as network.host.")
@click.option("--cache-from", "specs", multiple=True, metavar="SPEC", help="A cache that the build imports.")
@click.option(
    "--names",
    multiple=True,
    metavar="SOURCE",
    help="Names of what the caches hold, as for check; may be repeated.",
)
@click.option("--no-names", is_flag=True, help="Do not look for names in the images beside the caches.")
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="REF=DIGEST|PATH",
    help="Which image a reference names; or an OCI layout or an archive of docker image save that has images.",
)
@click.option(
    "--bake",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE",
    help="Predict the TARGETs of a bake file that stand for CONTEXT; - reads what docker buildx bake --print says.",
)
@click.option("--compose", type=_FILE, metavar="FILE", help="Predict the SERVICEs of a compose file.")
@click.option("--workflow", metavar="FILE[:JOB]", help="Predict the build steps of a GitHub workflow.")
@click.option("--llb", type=_FILE, metavar="FILE", help="Predict a definition of LLB: protobuf, or buildctl's dump.")
@click.option("--provenance", type=_FILE, metavar="FILE", help="Predict the build that provenance (mode=max) records.")
@click.option("--offline", is_flag=True, help="Ask no registry, repository or server for what the Dockerfile names.")
@click.option("--no-commands", is_flag=True, help="Do not work out what a RUN of echo, cat, cp and the like writes.")
@click.option("--builder", metavar="OS/ARCH", help="The builder's own platform.")
@click.option("--buildkit", metavar="VERSION", help="The builder's BuildKit, such as 0.31; without, the newest.")
@click.option("--frontend", type=click.Choice(["builtin"]), help="Take the built-in rules, whatever # syntax= says.")
@click.option(
    "--compare",
    nargs=2,
    metavar="BEFORE AFTER",
    help="Predict two revisions of the repository, and say what the second one changes.",
)
@click.option(
    "--fail-on-miss",
    is_flag=False,
    flag_value="",
    metavar="[STEP]",
    help="Exit with 1 if a step runs or may run; with STEP, if one with this line or text does.",
)
@click.option("--seconds", type=float, default=10.0, show_default=True, help="How long to look for causes.")
@click.option("--timeout", type=click.FloatRange(min=0.1), default=30.0, help="Seconds for a request.")
@click.option("--insecure-registry", "insecure", multiple=True, metavar="HOST", help="Speak plain HTTP to it.")
@output_options(letter=False)
def predict(
    places: tuple[str, ...],
    specs: tuple[str, ...],
    outputs: tuple[Output, ...],
    fail_on_miss: str | None,
    **how: Any,  # noqa: ANN401 - values of the options above
) -> None:
    """Say which steps of a build will be cached, and which line and which file breaks it.

    CONTEXT is a folder or a git repository. Nothing is built: the Dockerfile is read as BuildKit reads it, files are
    hashed as it hashes them, and a hit is proven by a digest that the cache has.
    """
    from cachegraph.cli import predicted
    from cachegraph.cli.forecasting import builds_of, forecast_of, imported_caches, one_context
    from cachegraph.loaders.base import Options

    reading = Options(timeout=how["timeout"], insecure_registries=frozenset(how["insecure"]))
    if how["compare"] and (how["llb"] or how["provenance"]):
        raise UsageError("--compare reads a Dockerfile in two revisions", hint="leave out --llb and --provenance")
    if how["compare"]:
        worse, lines = _compare(one_context(places), imported_caches(specs, reading, how), reading, outputs, how)
        sys.exit(_missed(worse, fail_on_miss, lines))
    made = []
    for title, context, more in builds_of(places, how):
        caches = imported_caches((*more["cache_from"], *specs), reading, how)
        made.append((title, forecast_of(context, caches, reading, more)))
    for title, one in made:
        for note in (*one.build.notes, *(f"{bad.source}: {bad.error}" for bad in one.prediction.not_imported)):
            say(f"{title}: {note}" if title else note)
    for output in outputs:
        predicted.write_forecasts(made, output)
    lines = [line for _, one in made for line in one.lines]
    sys.exit(_missed(lines, fail_on_miss, lines))


def _missed(lines: Sequence[Line], wanted: str | None, every: Sequence[Line]) -> int:
    """Give the exit code: 1 if a step runs that must not, or may; of those that only may, say that they count.

    Raises
    ------
    UsageError
        No step of the build is the wanted one.
    """
    if wanted is None:
        return 0
    if wanted and not any(_is_step(line, wanted) for line in every):
        raise UsageError(
            f"--fail-on-miss {wanted}: no step has this line or text", hint="give a line's number, or text"
        )
    asked = [line for line in lines if not wanted or _is_step(line, wanted)]
    missed = [line for line in asked if line.executed is not False]
    if missed and all(line.executed is None for line in missed):
        from cachegraph.causes.words import listed

        which = listed(list(dict.fromkeys(f"line {line.line}" if line.line else line.name for line in missed)))
        say(f"--fail-on-miss: {which} may run, which cannot be told before the build; it counts as a miss")
    return int(bool(missed))


def _is_step(line: Line, wanted: str) -> bool:
    """Tell whether a step is meant: by the number of its line, or by a part of its text."""
    return wanted == str(line.line) or wanted in line.name


def _compare(
    context: str,
    caches: Sequence[ExportGraph],
    reading: Options,
    outputs: Sequence[Output],
    how: Mapping[str, Any],
) -> tuple[Sequence[Line], Sequence[Line]]:
    """Predict two revisions and say what changes; give the lines that become uncached, or may, and all lines."""
    from cachegraph.causes.compare import compare_lines
    from cachegraph.cli import predicted
    from cachegraph.cli.forecasting import forecast_of
    from cachegraph.loaders.sources.checkout import checked_out

    made = []
    for revision in how["compare"]:
        with checked_out(context, revision) as folder:
            moved = folder.path(how["dockerfile"]) if how["dockerfile"] else None
            here = {**how, "dockerfile": moved, "history": folder.history}
            made.append(forecast_of(str(folder.context), caches, reading, here))
    before, after = made
    changes = compare_lines(before.lines, after.lines)
    for output in outputs:
        predicted.write_changes(how["compare"], before, after, changes, output)
    worse = {change.line for change in changes if change.is_worse is not False}
    return [line for line in after.lines if line.line in worse], after.lines
