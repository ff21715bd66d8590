"""``cachegraph predict``: which steps of a build will be cached, and which line breaks the cache."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from cachegraph.cli.options import FORMATS
from cachegraph.cli.output import print_json, print_rows
from cachegraph.cli.progress import progress
from cachegraph.cli.reading import loader_options, read_specs

if TYPE_CHECKING:
    from cachegraph.building import BuildGraph
    from cachegraph.builds.records import BuildStep
    from cachegraph.graph import CacheGraph
    from cachegraph.solver.prediction import Prediction, Step

__all__ = ["predict", "step_rows"]

_COLUMNS = ("line", "step", "outcome", "bytes", "from", "why")


def _pairs(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Read NAME=VALUE, or NAME alone with the value that the environment has, as docker does."""
    import os

    del context
    pairs: dict[str, str] = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not name:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE", param=parameter)
        if equals:
            pairs[name] = value
        elif name in os.environ:
            pairs[name] = os.environ[name]
    return pairs


def _ids(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> list[str]:
    """Read the ids of secrets: ``id=NAME,src=..``, or the name alone."""
    del context, parameter
    ids = []
    for text in values:
        fields = dict(field.partition("=")[::2] for field in text.split(","))
        ids.append(fields.get("id", text))
    return ids


@click.command(
    epilog="\b\nExamples:\n"
    "  cachegraph predict . --cache-from type=registry,ref=registry.example.com/app:cache\n"
    "  cachegraph predict . -f build/Dockerfile --target prod --cache-from ./cache --fail-on-miss 'RUN npm ci'\n\n"
    "Exit codes: 0 told, 1 a step runs and --fail-on-miss, 2 wrong usage, 3 something could not be read or\n"
    "BuildKit would refuse the build."
)
@click.argument("context", default=".", metavar="[CONTEXT]")
@click.option("-f", "--file", "dockerfile", metavar="FILE", help="The Dockerfile; by default CONTEXT/Dockerfile.")
@click.option("--target", help="The stage that is built; by default the last one.")
@click.option("--platform", help="Platforms that are built, such as linux/amd64,linux/arm64.")
@click.option("--build-arg", "build_args", multiple=True, callback=_pairs, metavar="NAME[=VALUE]", help="An argument.")
@click.option(
    "--build-context", "build_contexts", multiple=True, callback=_pairs, metavar="NAME=X", help="A named context."
)
@click.option("--opt", "options", multiple=True, callback=_pairs, metavar="NAME=VALUE", help="As buildctl's --opt.")
@click.option("--secret", "secrets", multiple=True, callback=_ids, metavar="ID", help="A secret that the build has.")
@click.option("--ssh", multiple=True, metavar="ID", help="An ssh agent or key that the build has, such as default.")
@click.option("--allow", multiple=True, metavar="RIGHT", help="A right that the build has, such as network.host.")
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="REF=DIGEST|PATH",
    help="What a reference names, or an OCI layout or saved archive with images; else registries are asked.",
)
@click.option("--builder", metavar="PLATFORM", help="The builder's own platform; by default this machine's.")
@click.option("--frontend", type=click.Choice(["builtin"]), help="Read by the built-in rules whatever # syntax= says.")
@click.option("--offline", is_flag=True, help="Ask no server about images, repositories and downloads.")
@click.option("--cache-from", "caches", multiple=True, metavar="SPEC", help="A cache that the build imports.")
@click.option("--buildkit", metavar="VERSION", help="The builder's version, such as 0.31; by default the newest.")
@click.option("--probe", is_flag=True, help="Ask each cache whether it still has its blobs.")
@click.option("--insecure-registry", multiple=True, metavar="HOST", help="Speak plain HTTP to this registry.")
@click.option("--timeout", type=click.FloatRange(min=0.1), default=30, show_default=True, help="Seconds for a request.")
@click.option(
    "--fail-on-miss",
    is_flag=False,
    flag_value="",
    metavar="[STEP]",
    help="Exit with 1 if a step runs; of STEP, only one whose text or line (Dockerfile:12) has these words.",
)
@click.option("--format", "format_", type=click.Choice(FORMATS), default="table", show_default=True)
def predict(
    context: str,
    images: tuple[str, ...],
    caches: tuple[str, ...],
    buildkit: str | None,
    fail_on_miss: str | None,
    format_: str,
    **how: Any,  # noqa: ANN401 - what a build and the reading of caches take
) -> None:
    """Say which steps of a build will be cached, before it runs.

    CONTEXT is a folder or a git repository, as for docker buildx build. Nothing is built: the keys are computed from
    the Dockerfile, its files and the images' digests, and looked for in the caches. What only a step that runs can tell is
    said to depend on it.
    """
    reading = {name: how.pop(name) for name in ("probe", "insecure_registry", "timeout")}
    reading |= {"verify": False, "concurrency": 8, "tags": None, "all_tags": False, "names": (), "files": ()}
    made = _build(context, images, how, reading)
    cache, code = _caches(caches, reading)
    from cachegraph.solver.predict import predict as work_out

    prediction = work_out(made, cache, buildkit=buildkit)
    rows = list(step_rows(made, prediction))
    _print(made, prediction, rows, format_)
    missed = [row for row in rows if fail_on_miss is not None and row["executed"] and _is_meant(row, fail_on_miss)]
    sys.exit(code or (1 if missed else 0))


def _build(context: str, images: Sequence[str], how: dict[str, Any], reading: dict[str, Any]) -> BuildGraph:
    from cachegraph.building import build

    with progress() as report:
        return build(context, images=_images(images), reading=loader_options(reading, report), **how)


def _images(texts: Sequence[str]) -> dict[str, str]:
    """Tell ``REF=DIGEST`` from a path."""
    images: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        images[name if equals else text] = value if equals else text
    return images


def _caches(specs: Sequence[str], reading: dict[str, Any]) -> tuple[CacheGraph, int]:
    """Read the caches; without any, every step runs."""
    from cachegraph.graph import CacheGraph

    if not specs:
        return CacheGraph(()), 0
    read = read_specs(specs, reading)
    return read.graph, read.exit_code


def _is_meant(row: dict[str, Any], words: str) -> bool:
    return words in row["step"] or words == row["line"]


def step_rows(made: BuildGraph, prediction: Prediction) -> Iterator[dict[str, Any]]:
    """Give the steps in the order of the Dockerfile.

    Parameters
    ----------
    made : BuildGraph
    prediction : Prediction
        Of it.

    Yields
    ------
    dict
        ``line``, ``step``, ``stage``, ``outcome``, ``executed`` (None where it depends), ``bytes`` that are loaded,
        ``from`` which cache, ``why``, and the build's own ``record`` and ``digest``.
    """
    seen: set[int] = set()
    steps = [step for step in made.steps if step.operation.inputs and step.operation.label.start]
    for step in sorted(steps, key=lambda step: (step.operation.label.start, step.operation.platform is not None)):
        if step.record is None or step.record not in seen:
            seen |= {step.record} if step.record is not None else set()
            yield _row(made, prediction, step)


def _row(made: BuildGraph, prediction: Prediction, step: BuildStep) -> dict[str, Any]:
    from cachegraph.solver.words import outcome, reason

    label = step.operation.label
    told: Step | None = None if step.record is None else prediction.step(step.record)
    row: dict[str, Any] = {
        "line": f"{made.file}:{label.start}",
        "step": label.name,
        "stage": label.stage or None,
        "outcome": "runs",
        "executed": True,
        "bytes": None,
        "from": None,
        "why": "it stands on a folder of the client, which has a new key in each build",
        "record": step.record,
        "digest": None,
    }
    if told is not None:
        loads = told.loads
        row |= {
            "outcome": outcome(told),
            "executed": told.executed,
            "bytes": loads.bytes if loads is not None and told.executed is False else None,
            "from": told.source,
            "why": "; ".join(filter(None, (reason(told, prediction), *_unknown(step)))) or None,
            "digest": told.digest,
        }
    return row


def _unknown(step: BuildStep) -> Iterator[str]:
    """Say what of a step is not known for another reason than that a step makes it."""
    return (unknown.reason for unknown in step.unknown if unknown.because != "run")


def _print(made: BuildGraph, prediction: Prediction, rows: list[dict[str, Any]], format_: str) -> None:
    if format_ == "json":
        print_json({"summary": prediction.summary, "notes": list(made.notes), "steps": rows})
        return
    from cachegraph.text.words import capital, size_text

    if format_ == "table":
        rows = [{**row, "bytes": None if row["bytes"] is None else size_text(row["bytes"])} for row in rows]
    print_rows(rows, _COLUMNS, format_)
    if format_ == "table":
        click.echo(f"{capital(prediction.summary)}.")
        for note in made.notes:
            click.echo(f"Note: {note}.")
        for refused in prediction.not_imported:
            click.echo(f"{refused.source} gives nothing: BuildKit refuses it ({refused.error}).")
