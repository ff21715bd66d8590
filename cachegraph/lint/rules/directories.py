"""Rules about local caches in jobs: what carries the directory from run to run, and what becomes of it there."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.lint.model import Build, Cache, Entry, Step
from cachegraph.lint.rules.base import LintFinding, LintRule
from cachegraph.lint.rules.builds import is_true
from cachegraph.lint.rules.examples import build_step, workflow
from cachegraph.lint.rules.places import local_path_of, spelt, varies_by_commit
from cachegraph.lint.rules.scene import Scene
from cachegraph.lint.rules.steps import is_hosted, is_plain
from cachegraph.lint.values import Place, Value

__all__ = ["DIRECTORY_RULES"]

_LOCAL = "https://docs.docker.com/build/ci/github-actions/cache/#local-cache"
_CACHING = ("actions/cache", "actions/cache/save")
_STAYS = (
    "runner.",
    "github.ref",
    "github.head_ref",
    "github.base_ref",
    "github.workflow",
    "github.job",
    "github.repository",
    "github.actor",
    "matrix.",
    "vars.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Directory:
    """A build that writes a directory in a job of GitHub's."""

    build: Build
    entry: Entry
    cache: Cache
    path: str
    steps: tuple[Step, ...]

    @property
    def keepers(self) -> list[Step]:
        """The steps with actions/cache that keep it, or a folder around it."""
        return [
            step
            for step in self.steps
            if step.action in _CACHING and any(_holds(one, self.path) for one in _paths(step))
        ]


def _paths(step: Step) -> list[str]:
    value = step.inputs.get("path")
    text = spelt(value) if value else ""
    return [posixpath.normpath(line.strip()) for line in text.splitlines() if line.strip()]


def _holds(folder: str, path: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


def _directories(scene: Scene) -> Iterator[_Directory]:
    for build, entry, cache in scene.caches:
        job = build.job
        if cache.type.text != "local" or entry.direction != "to" or job is None or job.system != "github":
            continue
        path = local_path_of(cache, "to")
        if path is None or build.step is None or job.name == "runs" or not is_hosted(job):
            continue
        yield _Directory(build=build, entry=entry, cache=cache, path=path, steps=job.steps)


def _lost(scene: Scene) -> Iterator[LintFinding]:
    for found in _directories(scene):
        if found.keepers or any(_mentions(step, found) for step in found.steps):
            continue
        if any(_reads(build, found) for build in scene.repository.builds):
            continue
        if any(step.action and not is_plain(step.action) for step in found.steps):
            continue
        message = (
            f"The cache is written to {found.path}, and no step of the job keeps that directory: the runner is thrown "
            "away with it, and the next run begins cold. Keep it with actions/cache (or move it to the directory "
            "that is kept), or use type=gha."
        )
        yield LintFinding(rule="lost-directory", severity="warning", message=message, place=found.entry.place)


def _mentions(step: Step, found: _Directory) -> bool:
    """Whether a step may do something with a directory: its name stands in the step."""
    if step == found.build.step and step.run is None:
        return False
    name = posixpath.basename(found.path)
    texts = [spelt(value) for value in step.inputs.values()]
    if step.run is not None:
        script = spelt(step.run)
        if step == found.build.step:
            script = script.replace(f"dest={found.path}", "")
        texts.append(script)
    return any(_names(text, name) for text in texts) or any(_holds(one, found.path) for one in _paths(step))


def _names(text: str, name: str) -> bool:
    """Whether a name stands in a text as a whole word: ``.cache`` is not in ``.cache-new``."""
    place = text.find(name)
    while place >= 0:
        behind = text[place + len(name) : place + len(name) + 1]
        if not (behind.isalnum() or (behind in ("-", "_") and behind)):
            return True
        place = text.find(name, place + 1)
    return False


def _reads(build: Build, found: _Directory) -> bool:
    """Whether another step of the job reads the directory."""
    if build.job is not found.build.job or build.step == found.build.step:
        return False
    return any(
        cache.type.text == "local" and local_path_of(cache, "from") in (None, found.path)
        for entry in build.reads
        for cache in entry.caches
    )


def _growing(scene: Scene) -> Iterator[LintFinding]:
    for found in _directories(scene):
        keepers = [step for step in found.keepers if not _is_frozen(step)]
        sources = {local_path_of(cache, "from") for entry in found.build.reads for cache in entry.caches}
        if not keepers or found.path not in sources or is_true(found.cache.attrs.get("reset")):
            continue
        if "reset" in found.cache.attrs or any(_removes(step, found.path) for step in found.steps):
            continue
        message = (
            f"{found.path} is read, written and kept from run to run, and nothing removes what is out of date: it "
            "grows with each run, and so do the time to restore it and what it takes of the limit. Add reset=true "
            "(BuildKit 0.31 or newer), or write to a new directory and move it over the old one."
        )
        yield LintFinding(
            rule="growing-directory",
            severity="warning",
            message=message,
            place=found.entry.place,
            related=(Place(file=keepers[0].place.file, line=keepers[0].place.line),),
        )


def _removes(step: Step, path: str) -> bool:
    script = spelt(step.run) if step.run is not None else ""
    return _names(script, posixpath.basename(path)) and any(word in script for word in ("rm ", "mv ", "prune"))


def _keys(scene: Scene) -> Iterator[tuple[Step, Value, tuple[Step, ...]]]:
    """Give each step that keeps the directory of a local cache, with its key."""
    seen: set[Place] = set()
    for found in _directories(scene):
        for step in found.keepers:
            key = step.inputs.get("key")
            if key is not None and step.place not in seen:
                seen.add(step.place)
                yield step, key, found.steps


def _is_frozen(step: Step) -> bool:
    key = step.inputs.get("key")
    return key is not None and all((one.exact or one.name).startswith(_STAYS) for one in key.unknowns)


def _deletes(step: Step) -> bool:
    """Whether a step removes entries of GitHub's cache, so that a key can be saved again."""
    return step.run is not None and "cache" in step.run.pattern and "delete" in step.run.pattern


def _frozen(scene: Scene) -> Iterator[LintFinding]:
    for step, key, steps in _keys(scene):
        if not _is_frozen(step) or any(_deletes(other) for other in steps):
            continue
        message = (
            f"The key {key.pattern} does not change from run to run, and actions/cache saves nothing under a key that "
            "is there: the directory stays as the first run left it, however old. Put ${{ github.sha }} at its end, "
            "and the rest into restore-keys."
        )
        yield LintFinding(rule="frozen-key", severity="warning", message=message, place=key.place)


def _unrestored(scene: Scene) -> Iterator[LintFinding]:
    for step, key, _ in _keys(scene):
        if step.action != "actions/cache" or "restore-keys" in step.inputs:
            continue
        names = varies_by_commit(key)
        if not names:
            continue
        message = (
            f"The key has {names[0]} in it and there are no restore-keys: no run finds what another one saved, and "
            "each begins cold. Add restore-keys with the key up to that part."
        )
        yield LintFinding(rule="unrestored-key", severity="warning", message=message, place=key.place)


_FROM = "cache-from: type=local,src=/tmp/.cache"
_TO = "cache-to: type=local,dest=/tmp/.cache,mode=max"


def _keep(*lines: str) -> str:
    return "\n".join(
        ["- uses: actions/cache@v4", "  with:", "    path: /tmp/.cache", *(f"    {line}" for line in lines)]
    )


_KEPT = _keep("key: image-${{ github.sha }}", "restore-keys: image-")
_GOOD = workflow(_KEPT, build_step(_FROM, f"{_TO},reset=true"))

DIRECTORY_RULES = (
    LintRule(
        name="lost-directory",
        title="A directory that no later run gets",
        meaning="GitHub's runners are new for each job. A cache in a directory is lost with them, unless a step keeps "
        "that very directory. Writing to a second directory and never moving it over the first has the same end.",
        severity="warning",
        cure="Keep the directory with actions/cache, or use type=gha.",
        link=_LOCAL,
        bad=workflow(_KEPT, build_step(_FROM, "cache-to: type=local,dest=/tmp/.cache-new,mode=max")),
        good=workflow(
            _KEPT,
            build_step(_FROM, "cache-to: type=local,dest=/tmp/.cache-new,mode=max"),
            "- run: rm -rf /tmp/.cache && mv /tmp/.cache-new /tmp/.cache",
        ),
        check=_lost,
    ),
    LintRule(
        name="growing-directory",
        title="A directory that only grows",
        meaning="An export to a directory leaves the blobs of earlier exports there. With actions/cache around it, "
        "each run restores all of them, adds its own and saves the sum.",
        severity="warning",
        cure="Add reset=true to cache-to (BuildKit 0.31 or newer), or write to a new directory and move it.",
        link=_LOCAL,
        bad=workflow(_KEPT, build_step(_FROM, _TO)),
        good=_GOOD,
        check=_growing,
    ),
    LintRule(
        name="frozen-key",
        title="A key under which nothing is saved again",
        meaning="actions/cache never replaces what is saved under a key. If nothing in the key changes, the cache is "
        "that of the first run for as long as it is used.",
        severity="warning",
        cure="End the key with ${{ github.sha }}, and give the part before it as restore-keys.",
        link=_LOCAL,
        bad=workflow(_keep("key: image-${{ runner.os }}"), build_step(_FROM, f"{_TO},reset=true")),
        good=_GOOD,
        check=_frozen,
    ),
    LintRule(
        name="unrestored-key",
        title="A key that no later run has",
        meaning="A key with the commit in it is found by a run of the same commit alone. What others saved is found "
        "by restore-keys, which are beginnings of keys.",
        severity="warning",
        cure="Add restore-keys.",
        link=_LOCAL,
        bad=workflow(_keep("key: image-${{ github.sha }}"), build_step(_FROM, f"{_TO},reset=true")),
        good=_GOOD,
        check=_unrestored,
    ),
)
