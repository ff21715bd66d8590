"""What ``cachegraph predict`` is asked for: the builds, what holds for each, and their caches."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cachegraph.cli.app import complain
from cachegraph.errors import UsageError

if TYPE_CHECKING:
    from cachegraph.core.graph import ExportGraph
    from cachegraph.lint.definitions import Definition
    from cachegraph.loaders.base import Options
    from cachegraph.predicting import Forecast

__all__ = ["builds_of", "forecast_of", "imported_caches", "one_context"]


def one_context(places: Sequence[str]) -> str:
    """Give the context, which is the current folder where none is named."""
    if len(places) > 1:
        raise UsageError(f"{len(places)} contexts, a build has one", hint="name one folder, or targets with --bake")
    return places[0] if places else "."


def builds_of(places: Sequence[str], how: Mapping[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
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
        return [("", one_context(places), {**how, "cache_from": ()})]
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


def imported_caches(specs: Sequence[str], reading: Options, how: Mapping[str, Any]) -> list[ExportGraph]:
    """Read the caches; one that cannot be read is named, and the build goes on without it, as BuildKit does."""
    from cachegraph.cli.naming import known_names
    from cachegraph.cli.sides import read_caches

    exports, failures = read_caches(specs, reading)
    if failures and not exports:
        raise failures[0]
    for failure in failures:
        complain(failure)
    # The Dockerfile names the build itself; what the caches have in its place is named by the images beside them.
    looked = {"names": how["names"], "no_names": how["no_names"] or how["offline"]}
    return known_names(looked, reading, exports, folder=None).graphs(exports)


def forecast_of(context: str, caches: Sequence[ExportGraph], reading: Options, how: Mapping[str, Any]) -> Forecast:
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
