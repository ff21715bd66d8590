"""``cachegraph predict``: which steps of a build will be cached, before it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from cachegraph.cli.app import complain
from cachegraph.cli.formats import output_options
from cachegraph.cli.output import Output, say
from cachegraph.errors import UsageError

if TYPE_CHECKING:
    from cachegraph.causes.lines import Line
    from cachegraph.core.graph import ExportGraph
    from cachegraph.lint.definitions import Definition
    from cachegraph.loaders.base import Options
    from cachegraph.predicting import Forecast

__all__ = ["predict"]

_EPILOG = """\b
Examples:
  cachegraph predict --cache-from ./cache
  cachegraph predict -f docker/Dockerfile --build-arg VERSION=2 --cache-from type=registry,ref=ghcr.io/org/app:cache .
  cachegraph predict --cache-from ./cache --fail-on-miss 'npm ci'
  cachegraph predict --cache-from ./cache --compare HEAD~1 HEAD
  cachegraph predict --bake docker-bake.hcl app
  docker buildx bake --print app | cachegraph predict --bake - app
  cachegraph predict --workflow .github/workflows/build.yml:release --cache-from ./cache

A step that depends on what another step makes, or on a server that is not asked, is said to be unknown.
Exit codes: 0, 1 with --fail-on-miss if a step runs, 2 wrong usage, 3 something could not be read."""


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
    help="Exit with 1 if a step runs; with STEP, if one with this line or text does.",
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
    from cachegraph.loaders.base import Options

    reading = Options(timeout=how["timeout"], insecure_registries=frozenset(how["insecure"]))
    if how["compare"] and (how["llb"] or how["provenance"]):
        raise UsageError("--compare reads a Dockerfile in two revisions", hint="leave out --llb and --provenance")
    if how["compare"]:
        lines = _compare(_one_context(places), _caches(specs, reading), reading, outputs, how)
        sys.exit(_missed(lines, fail_on_miss))
    made = []
    for title, context, more in _builds(places, how):
        caches = _caches((*more["cache_from"], *specs), reading)
        made.append((title, _forecast(context, caches, reading, more)))
    for title, one in made:
        for note in (*one.build.notes, *(f"{bad.source}: {bad.error}" for bad in one.prediction.not_imported)):
            say(f"{title}: {note}" if title else note)
    for output in outputs:
        predicted.write_forecasts(made, output)
    sys.exit(_missed([line for _, one in made for line in one.lines], fail_on_miss))


def _one_context(places: Sequence[str]) -> str:
    if len(places) > 1:
        raise UsageError(f"{len(places)} contexts, a build has one", hint="name one folder, or targets with --bake")
    return places[0] if places else "."


def _builds(places: Sequence[str], how: Mapping[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Give the builds that are asked for: a title, the context, and what holds for it."""
    from cachegraph.lint.definitions import bake_definitions, compose_definitions, workflow_definitions

    given = [name for name in ("bake", "compose", "workflow", "llb", "provenance") if how[name]]
    if len(given) > 1:
        raise UsageError(f"--{given[0]} and --{given[1]} are given, a prediction takes one", hint="leave one out")
    if how["bake"]:
        found = bake_definitions(how["bake"], places, text=_standard_input() if how["bake"] == Path("-") else None)
    elif how["compose"]:
        found = compose_definitions(how["compose"], places)
    elif how["workflow"]:
        path, job = _workflow(how["workflow"])
        found = workflow_definitions(path, [*job, *places])
    else:
        return [("", _one_context(places), {**how, "cache_from": ()})]
    return [(one.name, one.context, _defined(one, how)) for one in found]


def _standard_input() -> str:
    """Read what is piped in."""
    from cachegraph.loaders.limits import DEFAULT
    from cachegraph.loaders.paths import read_stream

    data = read_stream(sys.stdin.buffer, "standard input", limit=DEFAULT.file_bytes, name="file-bytes")
    if not data.strip():
        raise UsageError(
            "there is nothing on standard input", hint="docker buildx bake --print says what a bake builds"
        )
    return data.decode("utf-8", "replace")


def _workflow(text: str) -> tuple[Path, list[str]]:
    """Read FILE[:JOB]."""
    name, colon, job = text.rpartition(":")
    return (Path(name), [job]) if colon and not Path(text).exists() else (Path(text), [])


def _defined(one: Definition, how: Mapping[str, Any]) -> dict[str, Any]:
    """Put what a file says of a build below what the options say."""
    return {
        **how,
        "dockerfile": how["dockerfile"] or one.dockerfile or None,
        "inline": None if how["dockerfile"] else one.inline,
        "target": how["target"] or one.target or None,
        "platforms": how["platforms"] or one.platforms,
        "build_args": (*(f"{name}={value}" for name, value in one.args.items()), *how["build_args"]),
        "contexts": (*(f"{name}={value}" for name, value in one.contexts.items()), *how["contexts"]),
        "secrets": (*one.secrets, *how["secrets"]),
        "ssh": (*one.ssh, *how["ssh"]),
        "allow": (*one.allow, *how["allow"]),
        "no_cache": how["no_cache"] or one.no_cache,
        "no_cache_filter": how["no_cache_filter"] or one.no_cache_filter,
        "network": how["network"] or one.network,
        "hosts": (*one.hosts, *how["hosts"]),
        "shm_size": how["shm_size"] or one.shm_size,
        "ulimits": (*one.ulimits, *how["ulimits"]),
        "cache_from": one.cache_from,
    }


def _caches(specs: Sequence[str], reading: Options) -> list[ExportGraph]:
    """Read the caches; one that cannot be read is named, and the build goes on without it, as BuildKit does."""
    from cachegraph.cli.sides import read_caches
    from cachegraph.core.graph import ExportGraph

    exports, failures = read_caches(specs, reading)
    if failures and not exports:
        raise failures[0]
    for failure in failures:
        complain(failure)
    return [ExportGraph(export) for export in exports]


def _forecast(context: str, caches: Sequence[ExportGraph], reading: Options, how: Mapping[str, Any]) -> Forecast:
    """Predict one build."""
    if how["llb"] or how["provenance"]:
        return _forecast_given(context, caches, reading, how)
    from cachegraph.building import build
    from cachegraph.cli.frontend_options import frontend_options
    from cachegraph.predicting import forecast

    options = frontend_options(
        no_cache=how["no_cache"],
        no_cache_filter=[stage for text in how["no_cache_filter"] for stage in text.split(",")],
        network=how["network"] or "",
        hosts=how["hosts"],
        shm_size=how["shm_size"] or "",
        ulimits=how["ulimits"],
        cgroup_parent=how["cgroup_parent"] or "",
    )
    # buildx grants the right to the network that the build is told to have.
    allow = (*how["allow"], *(("network.host",) if how["network"] == "host" else ()))
    made = build(
        context,
        dockerfile=how["dockerfile"],
        dockerfile_inline=how.get("inline"),
        target=how["target"],
        platform=list(how["platforms"]) or None,
        build_args=_build_args(how["build_args"]),
        build_contexts=_pairs(how["contexts"], "--build-context"),
        options={**options, **_pairs(how["options"], "--opt")},
        images=_images(how["images"]),
        secrets=[_secret_id(text) for text in how["secrets"]],
        ssh=[text.partition("=")[0] for text in how["ssh"]],
        allow=allow,
        builder=how["builder"],
        frontend=how["frontend"],
        offline=how["offline"],
        commands=not how["no_commands"],
        reading=reading,
    )
    history = how.get("history")
    return forecast(made, caches, buildkit=how["buildkit"], history=history, seconds=how["seconds"])


def _forecast_given(context: str, caches: Sequence[ExportGraph], reading: Options, how: Mapping[str, Any]) -> Forecast:
    """Predict a build that is given as its operations."""
    from cachegraph.given import build_given
    from cachegraph.predicting import forecast

    settled = [
        "--" + name.replace("_", "-")
        for name, option in (
            ("file", "dockerfile"),
            ("target", "target"),
            ("platform", "platforms"),
            ("build_arg", "build_args"),
            ("opt", "options"),
            ("no_cache", "no_cache"),
            ("no_cache_filter", "no_cache_filter"),
            ("network", "network"),
            ("add_host", "hosts"),
            ("shm_size", "shm_size"),
            ("ulimit", "ulimits"),
            ("cgroup_parent", "cgroup_parent"),
            ("frontend", "frontend"),
        )
        if how[option]
    ]
    kind: Literal["llb", "provenance"] = "llb" if how["llb"] else "provenance"
    if settled:
        raise UsageError(f"{settled[0]} is for a Dockerfile, and the operations of --{kind} are settled")
    made = build_given(
        how[kind],
        kind,
        context=context,
        folders=_pairs(how["contexts"], "--build-context"),
        images=_images(how["images"]),
        secrets=[_secret_id(text) for text in how["secrets"]],
        ssh=[text.partition("=")[0] for text in how["ssh"]],
        allow=how["allow"],
        builder=how["builder"],
        offline=how["offline"],
        commands=not how["no_commands"],
        reading=reading,
    )
    return forecast(made, caches, buildkit=how["buildkit"], seconds=how["seconds"])


def _pairs(texts: Iterable[str], option: str) -> dict[str, str]:
    """Read NAME=VALUE."""
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"{option} {text}: not NAME=VALUE", hint=f"write {option} NAME=VALUE")
        pairs[name] = value
    return pairs


def _build_args(texts: Iterable[str]) -> dict[str, str]:
    """Read build arguments; one without a value takes it from the environment, as Docker does."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if equals:
            found[name] = value
        elif name in os.environ:
            found[name] = os.environ[name]
    return found


def _images(texts: Iterable[str]) -> dict[str, str]:
    """Read what images are given: a digest by reference, or a place that has some."""
    found = {}
    for text in texts:
        name, equals, value = text.rpartition("=")
        if equals and value.startswith("sha256:"):
            found[name] = value
        else:
            found[text] = text
    return found


def _secret_id(text: str) -> str:
    """Read the id of a secret as Docker takes it: ``id=npm,src=..``."""
    for part in text.split(","):
        if part.startswith("id="):
            return part.removeprefix("id=")
    return text


def _missed(lines: Sequence[Line], wanted: str | None) -> int:
    """Give the exit code: 1 if a step runs that must not."""
    if wanted is None:
        return 0
    missed = [line for line in lines if line.executed and (not wanted or wanted in (str(line.line), line.name))]
    missed += [line for line in lines if line.executed and wanted and wanted in line.name]
    return 1 if missed else 0


def _compare(
    context: str,
    caches: Sequence[ExportGraph],
    reading: Options,
    outputs: Sequence[Output],
    how: Mapping[str, Any],
) -> list[Line]:
    """Predict two revisions, say what changes from one to the other, and give the lines that become uncached."""
    from cachegraph.causes.compare import compare_lines
    from cachegraph.cli import predicted
    from cachegraph.loaders.sources.checkout import checked_out

    made = []
    for revision in how["compare"]:
        with checked_out(context, revision) as folder:
            moved = folder.path(how["dockerfile"]) if how["dockerfile"] else None
            here = {**how, "dockerfile": moved, "history": folder.history}
            made.append(_forecast(str(folder.context), caches, reading, here))
    before, after = made
    changes = compare_lines(before.lines, after.lines)
    for output in outputs:
        predicted.write_changes(how["compare"], before, after, changes, output)
    worse = {change.line for change in changes if change.is_worse}
    return [line for line in after.lines if line.line in worse]
