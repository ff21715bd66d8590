"""Rules about Dockerfiles: what makes steps run again although nothing that matters to them changed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cachegraph.builds.dockerfile import instructions as read
from cachegraph.lint.rules.base import LintFinding, LintRule
from cachegraph.lint.rules.dockerfiles import ReadDockerfile, commands, script
from cachegraph.lint.rules.examples import build_step, with_dockerfile, workflow
from cachegraph.lint.rules.places import varies_by_commit
from cachegraph.lint.rules.scene import Scene
from cachegraph.lint.values import Place, Unknown, Value
from cachegraph.text.words import plural

__all__ = ["IMAGE_RULES"]

_PRACTICES = "https://docs.docker.com/build/building/best-practices/"
_READ = "cache-from: type=gha,scope=app"
_WRITE = "cache-to: type=gha,scope=app,mode=max"
_UPDATE = re.compile(r"(?:sudo\s+)?apt(?:-get)?\s+(?:-\S+\s+)*update(?:\s+-\S+)*$")
_HARMLESS = re.compile(r"set\s|rm\s+-rf?\s+/var/lib/apt|apt(?:-get)?\s+(?:-\S+\s+)*clean|echo\s|true$|:$")
_APT_INSTALL = re.compile(r"\bapt(?:-get)?\s+(?:-\S+\s+)*(?:install|build-dep)\b")
_APT_UPDATE = re.compile(r"\bapt(?:-get)?\s+(?:-\S+\s+)*update\b")
_MOVING = frozenset({"main", "master", "develop", "dev", "trunk", "HEAD"})
_CHANGES = re.compile(
    r"git\s+(?:rev-parse|describe|log|show)|(?<![\w-])date\b(?!\w)|image\.(?:created|revision)|github\.event\.head_commit"
)


def _changing(scene: Scene) -> Iterator[LintFinding]:
    for build in scene.repository.builds:
        changing = {name: why for name, value in build.settings.args.items() if (why := _why_it_changes(value))}
        if not changing or (asked := scene.stage_of(build)) is None:
            continue
        dockerfile, number = asked
        for name, why in changing.items():
            for stage in sorted(dockerfile.needed(number)):
                found = _behind(dockerfile, stage, name)
                if found is None or not found[1]:
                    continue
                declared, runs = found
                value = build.settings.args[name]
                message = (
                    f"{name} is new in each build ({why}), and ARG puts it into the key of every RUN below, used or "
                    f"not: {plural(len(runs), 'RUN')} that {'does' if len(runs) == 1 else 'do'} not use it, from line "
                    f"{runs[0].place.start} on, {'runs' if len(runs) == 1 else 'run'} again each time. Move the ARG "
                    "below them, to where it is used."
                )
                yield LintFinding(
                    rule="changing-argument",
                    severity="warning",
                    message=message,
                    place=Place(file=dockerfile.path, line=declared.place.start),
                    related=(Place(file=value.place.file, line=value.place.line),),
                )


def _why_it_changes(value: Value) -> str:
    """Say why a build argument is another in each build; empty if that is not certain."""
    names = varies_by_commit(value)
    if names:
        return names[0]
    for part in value.parts:
        if isinstance(part, Unknown) and not part.choices and _CHANGES.search(part.exact or part.name):
            found = _CHANGES.search(part.exact or part.name)
            return found[0] if found else part.name
    return ""


def _behind(dockerfile: ReadDockerfile, stage: int, name: str) -> tuple[read.Arg, list[read.Run]] | None:
    """Give the ARG that declares a name in a stage, and the RUNs behind it that do not use it."""
    declared: read.Arg | None = None
    runs: list[read.Run] = []
    names = {name}
    for instruction in dockerfile.stages[stage].instructions:
        if isinstance(instruction, read.Arg):
            if any(one.name == name for one in instruction.declarations):
                declared = declared or instruction
            elif declared is not None:
                names |= {d.name for d in instruction.declarations if d.value and _uses(d.value, names)}
        elif declared is not None and isinstance(instruction, read.Env):
            names |= {pair.name for pair in instruction.pairs if _uses(pair.value, names)}
        elif declared is not None and isinstance(instruction, read.Run):
            if _uses(script(instruction), names) or any(_uses(mount, names) for mount in instruction.mounts):
                return declared, runs
            runs.append(instruction)
    return (declared, runs) if declared is not None else None


def _uses(text: str, names: set[str]) -> bool:
    return any(re.search(rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])", text) for name in names)


def _update(scene: Scene) -> Iterator[LintFinding]:
    for dockerfile in scene.dockerfiles:
        for number, stage in enumerate(dockerfile.stages):
            for place, instruction in enumerate(stage.instructions):
                if not isinstance(instruction, read.Run) or not _only_updates(instruction):
                    continue
                if any("/var/lib/apt/lists" in mount or "/var/cache/apt" in mount for mount in instruction.mounts):
                    continue
                later = next(_later_install(dockerfile, number, place), None)
                if later is None:
                    continue
                message = (
                    f"This RUN fetches apt's index and nothing else, and the install of line {later.place.start} is "
                    "another step. The index comes from the cache while the install changes: packages are not found, "
                    "or old ones are installed. Write both into one RUN: apt-get update && apt-get install .."
                )
                yield LintFinding(
                    rule="lone-update",
                    severity="warning",
                    message=message,
                    place=Place(file=dockerfile.path, line=instruction.place.start),
                    related=(Place(file=dockerfile.path, line=later.place.start),),
                )


def _only_updates(run: read.Run) -> bool:
    found = commands(run)
    return any(map(_UPDATE.match, found)) and all(_UPDATE.match(text) or _HARMLESS.match(text) for text in found)


def _later_install(dockerfile: ReadDockerfile, number: int, place: int) -> Iterator[read.Run]:
    stages = [n for n in range(len(dockerfile.stages)) if number in dockerfile.chain(n)]
    for stage in stages:
        start = place + 1 if stage == number else 0
        for instruction in dockerfile.stages[stage].instructions[start:]:
            if isinstance(instruction, read.Run):
                text = script(instruction)
                if _APT_UPDATE.search(text):
                    break
                if _APT_INSTALL.search(text):
                    yield instruction


def _download(scene: Scene) -> Iterator[LintFinding]:
    for dockerfile in scene.dockerfiles:
        for stage in dockerfile.stages:
            for instruction in stage.instructions:
                if not isinstance(instruction, read.Add) or instruction.checksum:
                    continue
                for source in instruction.sources:
                    if not source.startswith(("http://", "https://")) or _is_pinned_git(source):
                        continue
                    git = ".git" in source
                    what = "the branch" if git else "the file"
                    cure = "Name a tag or a commit behind #." if git else "Add --checksum=sha256:.. to pin it."
                    message = (
                        f"This ADD asks the server in every build, and when {what} there has changed, it and all "
                        f"below it run again, with other contents than before. {cure}"
                    )
                    yield LintFinding(
                        rule="unpinned-download",
                        severity="note",
                        message=message,
                        place=Place(file=dockerfile.path, line=instruction.place.start),
                    )
                    break


def _is_pinned_git(source: str) -> bool:
    """Whether an address is a repository's, and names something else there than a branch that goes on."""
    if ".git" not in source:
        return False
    address, _, fragment = source.partition("#")
    query = re.search(r"[?&](?:ref|branch|tag|commit|checksum)=([^&]*)", address)
    name = query[1] if query else fragment.partition(":")[0]
    return bool(name) and name not in _MOVING


def _linked(scene: Scene) -> Iterator[LintFinding]:
    for build in scene.repository.builds:
        types = [cache.type.text for entry in build.writes for cache in entry.caches]
        if not types or any(kind != "inline" for kind in types) or not all(entry.is_resolved for entry in build.writes):
            continue
        if (asked := scene.stage_of(build)) is None:
            continue
        dockerfile, number = asked
        last = [
            one
            for one in dockerfile.stages[number].instructions
            if isinstance(one, (read.Copy, read.Run, read.Workdir))
        ][-1:]
        if not last or not isinstance(last[0], read.Copy) or not last[0].link:
            continue
        message = (
            f"{dockerfile.path} ends in COPY --link, and an inline cache cannot hold the merge that it makes: its "
            "steps run again in every build, changed or not. Write the cache with type=registry,mode=max to a "
            "reference of its own, or copy without --link."
        )
        yield LintFinding(
            rule="linked-inline",
            severity="warning",
            message=message,
            place=next(entry.place for entry in build.writes if entry.caches),
            related=(Place(file=dockerfile.path, line=last[0].place.start),),
        )


_BUILT = workflow(build_step("context: .", "build-args: COMMIT=${{ github.sha }}", _READ, _WRITE))
_INLINE = workflow(
    "- uses: docker/login-action@v3",
    build_step("push: true", "tags: acme/app:1", "cache-from: acme/app:1", "cache-to: type=inline"),
)

_LINKED = "FROM alpine:3.22 AS files\nRUN date > /built\nFROM alpine:3.22\nCOPY {}--from=files /built /built\n"


IMAGE_RULES = (
    LintRule(
        name="changing-argument",
        title="An argument that changes in each build stands above steps that do not use it",
        meaning="The value of an ARG is in the key of every RUN below it, whether that uses it or not. A commit or a "
        "date that is declared at the top of a stage makes all of its RUNs run in each build. Reported where a build "
        "passes such a value.",
        severity="warning",
        cure="Declare it right above the first instruction that uses it.",
        link="https://docs.docker.com/build/building/variables/",
        bad=with_dockerfile(
            "FROM python:3.13\nARG COMMIT\nRUN pip install flask\nRUN echo $COMMIT > /commit\n", **_BUILT
        ),
        good=with_dockerfile(
            "FROM python:3.13\nRUN pip install flask\nARG COMMIT\nRUN echo $COMMIT > /commit\n", **_BUILT
        ),
        check=_changing,
    ),
    LintRule(
        name="lone-update",
        title="apt-get update in a step of its own",
        meaning="The index of packages is cached with the step that fetched it. When the install line below changes, "
        "it runs on the old index, in which packages may be gone from the server.",
        severity="warning",
        cure="Write apt-get update && apt-get install into one RUN.",
        link=f"{_PRACTICES}#apt-get",
        bad=with_dockerfile("FROM debian:13\nRUN apt-get update\nRUN apt-get install -y curl\n"),
        good=with_dockerfile("FROM debian:13\nRUN apt-get update && apt-get install -y curl\n"),
        check=_update,
    ),
    LintRule(
        name="unpinned-download",
        title="ADD of an address without a checksum",
        meaning="The builder asks the server in each build whether the file has changed. When it has, the image is "
        "another one, with no change in the repository, and all steps below run again.",
        severity="note",
        cure="Pin it: --checksum=sha256:.. for files, the commit behind # for repositories.",
        link="https://docs.docker.com/reference/dockerfile/#add---checksum",
        bad=with_dockerfile("FROM alpine:3.22\nADD https://example.com/tool.tar.gz /tmp/\n"),
        good=with_dockerfile(
            "FROM alpine:3.22\nADD --checksum=sha256:"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 https://example.com/tool.tar.gz /tmp/\n"
        ),
        check=_download,
    ),
    LintRule(
        name="linked-inline",
        title="COPY --link with an inline cache",
        meaning="COPY --link makes a layer that is merged with the others, and an inline cache, which knows the layers "
        "of the image alone, has no place for merges. With an unchanged Dockerfile, all of its steps run again in "
        "every build.",
        severity="warning",
        cure="Write a registry cache in mode=max, or copy without --link.",
        link="https://docs.docker.com/reference/dockerfile/#copy---link",
        bad=with_dockerfile(_LINKED.format("--link "), **_INLINE),
        good=with_dockerfile(_LINKED.format(""), **_INLINE),
        check=_linked,
    ),
)
