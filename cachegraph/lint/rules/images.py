"""Rules about Dockerfiles: what makes steps run again although nothing that matters to them changed."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from cachegraph.builds.dockerfile import instructions as read
from cachegraph.lint.model import Build
from cachegraph.lint.rules.base import LintFinding, LintRule
from cachegraph.lint.rules.dockerfiles import Ignored, ReadDockerfile, commands, ignored, script, whole_copies
from cachegraph.lint.rules.examples import build_step, workflow
from cachegraph.lint.rules.places import varies_by_commit
from cachegraph.lint.rules.scene import Scene
from cachegraph.lint.values import Place, Unknown, Value
from cachegraph.text.words import plural

__all__ = ["IMAGE_RULES"]

_OPTIMIZE = "https://docs.docker.com/build/cache/optimize/"
_PRACTICES = "https://docs.docker.com/build/building/best-practices/"
_READ = "cache-from: type=gha,scope=app"
_WRITE = "cache-to: type=gha,scope=app,mode=max"

_END = r"(?=\s*$|\s+-)"
_INSTALLS: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (tool, files, re.compile(pattern))
    for tool, files, pattern in (
        ("npm", "package.json and package-lock.json", rf"npm\s+(?:ci|install|i|clean-install){_END}"),
        ("yarn", "package.json and yarn.lock", rf"yarn(?:\s+install)?{_END}"),
        ("pnpm", "package.json and pnpm-lock.yaml", rf"pnpm\s+(?:install|i){_END}"),
        ("pip", "requirements.txt", r"(?:python3?\s+-m\s+|uv\s+)?pip3?\s+install\b(?=.*\s(?:-r|--requirement)[\s=])"),
        ("poetry", "pyproject.toml and poetry.lock", r"poetry\s+install(?=.*--no-root)"),
        ("bundle", "Gemfile and Gemfile.lock", rf"bundle\s+install{_END}"),
        ("composer", "composer.json and composer.lock", r"composer\s+install(?=.*--no-(?:scripts|autoloader))"),
        ("go", "go.mod and go.sum", r"go\s+mod\s+download\b"),
        ("cargo", "Cargo.toml and Cargo.lock", r"cargo\s+fetch\b"),
        ("maven", "pom.xml", r"(?:\./)?mvnw?\s.*dependency:(?:go-offline|resolve)"),
        ("apt", "nothing", r"apt(?:-get)?\s+(?:-\S+\s+)*install\b(?!.*\s\.{0,2}/)"),
        ("apk", "nothing", r"apk\s+(?:-\S+\s+)*add\b(?!.*\s\.{0,2}/)"),
    )
)
_UPDATE = re.compile(r"(?:sudo\s+)?apt(?:-get)?\s+(?:-\S+\s+)*update(?:\s+-\S+)*$")
_HARMLESS = re.compile(r"set\s|rm\s+-rf?\s+/var/lib/apt|apt(?:-get)?\s+(?:-\S+\s+)*clean|echo\s|true$|:$")
_APT_INSTALL = re.compile(r"\bapt(?:-get)?\s+(?:-\S+\s+)*(?:install|build-dep)\b")
_APT_UPDATE = re.compile(r"\bapt(?:-get)?\s+(?:-\S+\s+)*update\b")
_MAY_ASK_GIT = re.compile(
    r"\b(?:make|just|task|go\s+(?:build|install|generate)|goreleaser|cargo|mvnw?|gradlew?|bazel|sbt)\b|\.sh\b"
)
_MOVING = frozenset({"main", "master", "develop", "dev", "trunk", "HEAD"})
_CHANGES = re.compile(
    r"git\s+(?:rev-parse|describe|log|show)|(?<![\w-])date\b(?!\w)|image\.(?:created|revision)|github\.event\.head_commit"
)
_OUTPUTS = ("node_modules", "dist", "build", "target", "out", ".next", "coverage", ".venv", "__pycache__", ".gradle")


def _copy_first(scene: Scene) -> Iterator[LintFinding]:
    for dockerfile in scene.dockerfiles:
        hidden = list(_ignore_files(scene, dockerfile))
        if any(one is None or one.is_a_choice for one in hidden):
            continue
        told: set[int] = set()
        for number in range(len(dockerfile.stages)):
            done: set[str] = set()
            copied: read.Copy | None = None
            for below in dockerfile.chain(number):
                for instruction in dockerfile.stages[below].instructions:
                    if isinstance(instruction, read.Copy) and instruction in _whole(dockerfile, below):
                        copied = copied or instruction
                    elif isinstance(instruction, read.Run):
                        found = _installs(instruction)
                        if copied is None:
                            done |= {tool for tool, _, _ in found}
                        else:
                            for tool, files, text in found:
                                if tool in done or copied.place.start in told or below != number:
                                    continue
                                told.add(copied.place.start)
                                yield _copied(dockerfile, copied, instruction, (files, text))


def _whole(dockerfile: ReadDockerfile, number: int) -> list[read.Copy]:
    return [copy for stage, copy in whole_copies(dockerfile.stages) if stage == number]


def _installs(run: read.Run) -> list[tuple[str, str, str]]:
    """Give the tools that a RUN installs with, the files that each reads, and the command."""
    found = []
    for text in commands(run):
        bare = re.sub(r"^(?:[A-Z_]+=\S+\s+)*", "", text)
        for tool, files, pattern in _INSTALLS:
            if pattern.match(bare):
                found.append((tool, files, text))
    return found


def _copied(dockerfile: ReadDockerfile, copy: read.Copy, run: read.Run, what: tuple[str, str]) -> LintFinding:
    files, text = what
    cached = any("type=cache" in mount for mount in run.mounts)
    cost = (
        "and runs again whenever any file changes"
        if not cached
        else "and runs again whenever any file changes (its cache mount saves the downloads on the same machine only)"
    )
    cure = "Move it above the COPY." if files == "nothing" else f"Copy {files} first, then install, then copy the rest."
    shown = text if len(text) <= 60 else f"{text[:57]}..."
    message = (
        f"All files are copied in before {shown!r} (line {run.place.start}), so that step depends on each of them "
        f"{cost}. {cure}"
    )
    return LintFinding(
        rule="copy-before-install",
        severity="note" if cached else "warning",
        message=message,
        place=Place(file=dockerfile.path, line=copy.place.start),
        related=(Place(file=dockerfile.path, line=run.place.start),),
    )


def _ignore_files(scene: Scene, dockerfile: ReadDockerfile) -> Iterator[Ignored | None]:
    """Give the ignore files that count for a Dockerfile: by its builds' contexts, else by where it lies."""
    if scene.root is None:
        return
    contexts = {scene.context_of(build) for build in scene.builds_of(dockerfile)} - {None}
    for context in contexts or {posixpath.dirname(dockerfile.path), ""}:
        yield ignored(scene.root, context or "", dockerfile.path)


def _git(scene: Scene) -> Iterator[LintFinding]:
    for dockerfile in scene.dockerfiles:
        context = _context_with_git(scene, dockerfile)
        if context is None or scene.root is None:
            continue
        hidden = ignored(scene.root, context, dockerfile.path)
        if hidden is None or hidden.is_about(".git") or (hidden.hides(".git/index") and hidden.hides(".git/HEAD")):
            continue
        copy, severity = next(_copies_of_git(scene, dockerfile), (None, "note"))
        if copy is None:
            continue
        where = f"{hidden.name} does not name it" if hidden.name else "there is no .dockerignore"
        message = (
            f"This COPY takes the folder .git along ({where}). Its files change with each commit, fetch and checkout, "
            "so this step and all below it run again though no source file changed. Write .git into .dockerignore; a "
            "step that wants the commit can have it as an argument, declared right above it."
        )
        yield LintFinding(
            rule="git-in-context",
            severity="note" if severity == "note" else "warning",
            message=message,
            place=Place(file=dockerfile.path, line=copy.place.start),
        )


def _copies_of_git(scene: Scene, dockerfile: ReadDockerfile) -> Iterator[tuple[read.Copy, str]]:
    """Give the COPYs of all files with a RUN behind them, in stages that are built, none of which asks git.

    Also how severe that is: a note where a build tool may ask git unseen.
    """
    numbers = {dockerfile.stage_named(_target(build)) for build in scene.builds_of(dockerfile)} - {None} or {
        len(dockerfile.stages) - 1
    }
    needed = {stage for number in numbers if number is not None for stage in dockerfile.needed(number)}
    for number, copy in whole_copies(dockerfile.stages):
        behind = [
            instruction
            for stage in needed
            if number in dockerfile.chain(stage)
            for instruction in dockerfile.stages[stage].instructions
            if isinstance(instruction, read.Run) and (stage != number or instruction.place.start > copy.place.start)
        ]
        if number in needed and behind and not any(re.search(r"\bgit\b", script(run)) for run in behind):
            yield copy, "note" if any(map(_MAY_ASK_GIT.search, map(script, behind))) else "warning"


def _target(build: Build) -> str:
    """Give the stage that a build asks for; a name that no stage has where that is unknown."""
    target = build.settings.target
    return "" if target is None else target.text or "?"


def _context_with_git(scene: Scene, dockerfile: ReadDockerfile) -> str | None:
    """Give the context of a Dockerfile if it is the repository's root, with ``.git`` in it for certain."""
    builds = list(scene.builds_of(dockerfile))
    if builds:
        local = [build for build in builds if build.settings.context is not None and _checks_out(scene, build)]
        contexts = {scene.context_of(build) for build in local}
        return "" if contexts & {"", "."} else None
    return "" if dockerfile.path == "Dockerfile" and scene.exists(".git") and not scene.repository.builds else None


def _checks_out(scene: Scene, build: Build) -> bool:
    """Whether the context of a build is a working copy with its ``.git``."""
    if build.job is None:
        # Docker's action for bake reads the repository itself, without .git, unless it is told otherwise.
        return build.kind != "bake" or not any(job.uses("docker/bake-action") for job in scene.repository.jobs)
    if build.job.system == "gitlab":
        return True
    return any(step.action == "actions/checkout" and "path" not in step.inputs for step in build.job.steps)


def _outputs(scene: Scene) -> Iterator[LintFinding]:
    if scene.root is None or not scene.is_file(".gitignore"):
        return
    for dockerfile in scene.dockerfiles:
        context = _root_context(scene, dockerfile)
        copy = next((copy for _, copy in whole_copies(dockerfile.stages)), None)
        hidden = ignored(scene.root, "", dockerfile.path) if context else None
        if copy is None or hidden is None:
            continue
        listed = _listed(scene)
        found = [name for name in _OUTPUTS if name in listed and scene.exists(name) and not hidden.hides(name)]
        if not found:
            continue
        message = (
            f"This COPY takes {', '.join(found)} along, which git ignores and Docker does not: what was built here "
            "goes into the image, and the step runs again whenever it was built anew. Write it into .dockerignore."
        )
        yield LintFinding(
            rule="output-in-context",
            severity="note",
            message=message,
            place=Place(file=dockerfile.path, line=copy.place.start),
        )


def _root_context(scene: Scene, dockerfile: ReadDockerfile) -> bool:
    builds = list(scene.builds_of(dockerfile))
    if builds:
        return any(scene.context_of(build) in ("", ".") for build in builds)
    return dockerfile.path == "Dockerfile"


def _listed(scene: Scene) -> set[str]:
    """Give the plain names in the repository's .gitignore."""
    try:
        text = (scene.root / ".gitignore").read_text("utf-8", "replace")[: 2**20] if scene.root else ""
    except OSError:
        return set()
    return {line.strip().strip("/") for line in text.splitlines()}


def _changing(scene: Scene) -> Iterator[LintFinding]:
    for build in scene.repository.builds:
        changing = {name: why for name, value in build.settings.args.items() if (why := _why_it_changes(value))}
        dockerfile = scene.dockerfile_of(build) if changing else None
        if dockerfile is None:
            continue
        number = dockerfile.stage_named(_target(build))
        if number is None:
            continue
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
        dockerfile = scene.dockerfile_of(build)
        if dockerfile is None:
            continue
        number = dockerfile.stage_named(_target(build))
        if number is None:
            continue
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


def _only(text: str, **more: str) -> dict[str, str]:
    return {"Dockerfile": text, ".dockerignore": ".git\n", **more}


def _with_git(**more: str) -> dict[str, str]:
    return {
        "Dockerfile": "FROM python:3.13\nCOPY . /app\nRUN pip install /app\n",
        **workflow(build_step("context: .", _READ, _WRITE)),
        **more,
    }


_BUILT = workflow(build_step("context: .", "build-args: COMMIT=${{ github.sha }}", _READ, _WRITE))
_INLINE = workflow(
    "- uses: docker/login-action@v3",
    build_step("push: true", "tags: acme/app:1", "cache-from: acme/app:1", "cache-to: type=inline"),
)
_LINKED = "FROM alpine:3.22 AS files\nRUN date > /built\nFROM alpine:3.22\nCOPY {}--from=files /built /built\n"

IMAGE_RULES = (
    LintRule(
        name="copy-before-install",
        title="All files are copied in before dependencies are installed",
        meaning="A step runs again when a file that was copied in before it changes. If everything is copied first, "
        "each change of the source installs all dependencies again. Reported for commands that need no more than a "
        "list of packages.",
        severity="warning, note if the step has a cache mount",
        cure="Copy the files that list the dependencies, install, and copy the rest after that.",
        link=f"{_OPTIMIZE}#order-your-layers",
        bad=_only("FROM node:24\nWORKDIR /app\nCOPY . .\nRUN npm ci\nRUN npm run build\n"),
        good=_only(
            "FROM node:24\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\nCOPY . .\n"
            "RUN npm run build\n"
        ),
        check=_copy_first,
    ),
    LintRule(
        name="git-in-context",
        title="COPY takes .git along",
        meaning="With the repository's root as the context and no .dockerignore that names .git, a COPY of everything "
        "holds the repository's own files, which are different after every commit and checkout. The step never comes "
        "from a cache, nor does what stands below it. Reported where a build with that context is known.",
        severity="warning, note where a build tool below may ask git for the commit",
        cure="Write .git into .dockerignore.",
        link="https://docs.docker.com/build/concepts/context/#dockerignore-files",
        bad=_with_git(),
        good=_with_git(**{".dockerignore": ".git\n"}),
        check=_git,
    ),
    LintRule(
        name="output-in-context",
        title="COPY takes along what was built here",
        meaning="What git ignores is made by tools and differs from machine to machine. A COPY of everything takes it "
        "along unless .dockerignore names it, so the step runs again after each local build. Reported for folders "
        "that are there.",
        severity="note",
        cure="Write the folder into .dockerignore.",
        link="https://docs.docker.com/build/concepts/context/#dockerignore-files",
        bad=_only(
            "FROM python:3.13\nCOPY . /app\n",
            **{".gitignore": "dist/\n", "dist/app.whl": "x\n"},
        ),
        good=_only(
            "FROM python:3.13\nCOPY . /app\n",
            **{".gitignore": "dist/\n", ".dockerignore": ".git\ndist\n", "dist/app.whl": "x\n"},
        ),
        check=_outputs,
    ),
    LintRule(
        name="changing-argument",
        title="An argument that changes in each build stands above steps that do not use it",
        meaning="The value of an ARG is in the key of every RUN below it, whether that uses it or not. A commit or a "
        "date that is declared at the top of a stage makes all of its RUNs run in each build. Reported where a build "
        "passes such a value.",
        severity="warning",
        cure="Declare it right above the first instruction that uses it.",
        link="https://docs.docker.com/build/building/variables/",
        bad=_only("FROM python:3.13\nARG COMMIT\nRUN pip install flask\nRUN echo $COMMIT > /commit\n", **_BUILT),
        good=_only("FROM python:3.13\nRUN pip install flask\nARG COMMIT\nRUN echo $COMMIT > /commit\n", **_BUILT),
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
        bad=_only("FROM debian:13\nRUN apt-get update\nRUN apt-get install -y curl\n"),
        good=_only("FROM debian:13\nRUN apt-get update && apt-get install -y curl\n"),
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
        bad=_only("FROM alpine:3.22\nADD https://example.com/tool.tar.gz /tmp/\n"),
        good=_only(
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
        bad=_only(_LINKED.format("--link "), **_INLINE),
        good=_only(_LINKED.format(""), **_INLINE),
        check=_linked,
    ),
)
