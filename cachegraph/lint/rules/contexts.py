"""Rules about what COPY takes from a build context, and before what."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import lru_cache

from cachegraph.builds.dockerfile import instructions as read
from cachegraph.lint.model import Build
from cachegraph.lint.rules.base import LintFinding, LintRule
from cachegraph.lint.rules.builds import target_of
from cachegraph.lint.rules.dockerfiles import (
    Ignored,
    ReadDockerfile,
    commands,
    ignored,
    is_whole_context,
    script,
    whole_copies,
)
from cachegraph.lint.rules.examples import build_step, with_dockerfile, workflow
from cachegraph.lint.rules.scene import Scene
from cachegraph.lint.values import Place

__all__ = ["CONTEXT_RULES"]

_OPTIMIZE = "https://docs.docker.com/build/cache/optimize/"
_READ = "cache-from: type=gha,scope=app"
_WRITE = "cache-to: type=gha,scope=app,mode=max"
_END = r"(?=\s*$|\s+-)"

_INSTALLS: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (tool, files, re.compile(pattern))
    for tool, files, pattern in (
        ("npm -g", "nothing", r"npm\s+(?:install|i)\b(?=.*\s(?:-g|--global)\b)"),
        (
            "npm",
            "package.json and package-lock.json",
            rf"npm\s+(?:ci|install|i|clean-install){_END}(?!.*\s(?:-g|--global)\b)",
        ),
        ("yarn", "package.json and yarn.lock", rf"yarn(?:\s+install)?{_END}(?!\s+(?:--version|-v|--help)\b)"),
        ("pnpm", "package.json and pnpm-lock.yaml", rf"pnpm\s+(?:install|i|fetch){_END}"),
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

_MAY_ASK_GIT = re.compile(
    r"\b(?:make|just|task|go\s+(?:build|install|generate)|goreleaser|cargo|mvnw?|gradlew?|bazel|sbt)\b|\.sh\b"
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
                    if isinstance(instruction, read.Copy) and is_whole_context(instruction):
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


@lru_cache(4096)
def _installs(run: read.Run) -> list[tuple[str, str, str]]:
    """Give the tools that a RUN installs with, the files that each reads, and the command."""
    found = []
    for text in commands(run):
        bare = re.sub(r"^(?:[A-Z_]+=\S+\s+)*", "", text)
        for tool, files, pattern in _INSTALLS:
            if pattern.match(bare) and "offline" not in bare:
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
    numbers = {dockerfile.stage_named(target_of(build)) for build in scene.builds_of(dockerfile)} - {None} or {
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


def _with_git(**more: str) -> dict[str, str]:
    return {
        "Dockerfile": "FROM python:3.13\nCOPY . /app\nRUN pip install /app\n",
        **workflow(build_step("context: .", _READ, _WRITE)),
        **more,
    }


CONTEXT_RULES = (
    LintRule(
        name="copy-before-install",
        title="All files are copied in before dependencies are installed",
        meaning="A step runs again when a file that was copied in before it changes. If everything is copied first, "
        "each change of the source installs all dependencies again. Reported for commands that need no more than a "
        "list of packages.",
        severity="warning, note if the step has a cache mount",
        cure="Copy the files that list the dependencies, install, and copy the rest after that.",
        link=f"{_OPTIMIZE}#order-your-layers",
        bad=with_dockerfile("FROM node:24\nWORKDIR /app\nCOPY . .\nRUN npm ci\nRUN npm run build\n"),
        good=with_dockerfile(
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
        bad=with_dockerfile(
            "FROM python:3.13\nCOPY . /app\n",
            **{".gitignore": "dist/\n", "dist/app.whl": "x\n"},
        ),
        good=with_dockerfile(
            "FROM python:3.13\nCOPY . /app\n",
            **{".gitignore": "dist/\n", ".dockerignore": ".git\ndist\n", "dist/app.whl": "x\n"},
        ),
        check=_outputs,
    ),
)
