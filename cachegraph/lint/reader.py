"""Reading settings: the files of a repository, or those that are named, together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from cachegraph.errors import CacheGraphError, DecodeError
from cachegraph.lint.bake_files import read_bake
from cachegraph.lint.bake_sources import BakeSource, bake_source, merged
from cachegraph.lint.compose_files import read_compose
from cachegraph.lint.documents import Tree, yaml_tree, yaml_trees
from cachegraph.lint.finding import kind_by_name
from cachegraph.lint.github import Scope
from cachegraph.lint.gitlab_files import looks_like_gitlab, read_gitlab
from cachegraph.lint.model import Build, Kind, Repository, Unresolved
from cachegraph.lint.script_files import read_jenkinsfile, read_makefile, read_script
from cachegraph.lint.session import Session, Surroundings, surroundings_of
from cachegraph.lint.tool_files import read_devcontainer, read_skaffold, without_comments
from cachegraph.lint.values import Place
from cachegraph.lint.workflows import read_action, read_workflow
from cachegraph.loaders.limits import DEFAULT, Limits
from cachegraph.loaders.paths import kind_of

__all__ = ["read_one", "read_settings", "read_texts"]

_MATTERS = re.compile(
    r"docker|buildx|buildctl|buildah|podman|\bbake\b|\bdepot\b|cache[-_]?(?:from|to)\b|devcontainers|nerdctl"
    r"|uses: *['\"]?\./|^services:",
    re.IGNORECASE | re.MULTILINE,
)


def _root_of(paths: Sequence[Path]) -> Path | None:
    """Find the repository that the first file is in; without one, the folder that its paths start in."""
    for path in paths[:1]:
        try:
            folder = path.resolve().parent
        except (OSError, RuntimeError, ValueError):
            return None
        for above in (folder, *folder.parents):
            if kind_of(above / ".git") is not None:
                return above
        return next((above.parent for above in (folder, *folder.parents) if above.name == ".github"), folder)
    return None


def read_settings(
    paths: Sequence[Path],
    *,
    root: Path | None = None,
    environ: Mapping[str, str] | None = None,
    limits: Limits = DEFAULT,
) -> Repository:
    """Read settings, and join what belongs together: callers and called workflows, actions, includes, overrides.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Files; what they include and call is read from beside them.
    root : pathlib.Path, optional
        The repository: places are told from here, and its remote names ``github.repository``. By default the nearest
        folder above the first file with a ``.git``.
    environ : mapping of str to str, optional
        Variables of bake and compose files; by default none, so that findings do not depend on who asks.
    limits : Limits

    Returns
    -------
    Repository
        A file that cannot be read is in its ``failures``; nothing is raised for it.
    """
    root = root or _root_of(paths)
    session = Session(root, surroundings_of(root, environ or {}, limits), limits)
    texts: list[tuple[str, Path, str]] = []
    for path in paths:
        name = session.name(path)
        try:
            texts.append((name, path, session.text(path)))
        except CacheGraphError as error:
            session.failures.append(Unresolved(place=Place(file=name), reason=str(error)))
    return _read(session, texts)


def read_one(
    path: Path,
    *,
    environ: Mapping[str, str],
    limits: Limits = DEFAULT,
    kind: Kind | None = None,
    text: str | None = None,
) -> Repository:
    """Read one file, and what it calls and includes; places name it as it is given.

    Parameters
    ----------
    path : pathlib.Path
    environ : mapping of str to str
        Variables of bake and compose files, and of a run on GitHub.
    limits : Limits
    kind : str, optional
        What it is, if its name may not say it.
    text : str, optional
        What stands in it, if it is no file; JSON if it begins with a brace.

    Raises
    ------
    cachegraph.errors.SourceError
        It cannot be read, or is none of the files that are read here.
    cachegraph.errors.MissingExtraError
        The reader of YAML is not installed.
    """
    root = _root_of([path]) if text is None else None
    session = Session(root, surroundings_of(root, environ, limits), limits)
    is_json = path.suffix.lower() == ".json" if text is None else text.lstrip().startswith("{")
    text = session.text(path) if text is None else text
    name = str(path)
    found = kind or kind_by_name(path)
    if found == "bake" or (found is None and path.suffix.lower() in (".hcl", ".json")):
        source = bake_source(name, text, limits, is_json=is_json)
        session.note(name, "bake", text)
        read_bake(session, source, [name])
    else:
        _one(session, name, path, text, found if path.suffix.lower() not in (".yml", ".yaml") else None)
    return _repository(session, session.builds)


def read_texts(texts: Mapping[str, str], *, around: Surroundings | None = None, limits: Limits = DEFAULT) -> Repository:
    """Read settings that are no files: standard input, or what ``docker buildx bake --print`` says.

    Parameters
    ----------
    texts : mapping of str to str
        By name; the name says what each is, as a file's does.
    around : Surroundings, optional
    limits : Limits
    """
    session = Session(None, around or Surroundings(), limits)
    return _read(session, [(name, Path(name), text) for name, text in texts.items()])


def _read(session: Session, texts: Sequence[tuple[str, Path, str]]) -> Repository:
    bakes: dict[Path, list[tuple[str, BakeSource]]] = {}
    waiting: list[tuple[str, Path, str, Kind | None]] = []
    for name, path, text in texts:
        kind = kind_by_name(path)
        if kind == "bake" or (kind is None and path.suffix in (".hcl", ".json")):
            with _failing(session, name):
                source = bake_source(name, text, session.limits, is_json=path.suffix == ".json")
                session.note(name, "bake", text)
                key = path.parent / ("override" if "override" in path.name else path.name)
                bakes.setdefault(key, []).append((name, source))
                session.bake_runs.declare(source.variables)
        else:
            waiting.append((name, path, text, kind))
    later: list[tuple[str, Path, str, Kind | None]] = []
    for one in waiting:
        # What others call is read by them first, with what they give it.
        if (one[3] in ("action", "gitlab") and not one[1].name.startswith(".gitlab-ci")) or _is_called(one):
            later.append(one)
        else:
            with _failing(session, one[0]):
                _one(session, *one)
    for one in later:
        if one[0] not in session.called:
            with _failing(session, one[0]):
                _one(session, *one)
    for together in _together(bakes):
        names = [name for name, _ in together]
        with _failing(session, names[0]):
            read_bake(session, merged(source for _, source in together), names)
    order = {name: position for position, (name, _, _) in enumerate(texts)}
    builds = sorted(
        session.builds, key=lambda build: order.get((build.job.file if build.job else build.place.file), len(order))
    )
    return _repository(session, builds)


def _repository(session: Session, builds: Sequence[Build]) -> Repository:
    return Repository(
        files=tuple(session.files.values()),
        jobs=tuple(session.jobs),
        builds=tuple(builds),
        unresolved=tuple(dict.fromkeys(session.unresolved)),
        failures=tuple(session.failures),
        default_branch=session.around.default_branch,
        groups=session.groups,
    )


def _is_called(one: tuple[str, Path, str, Kind | None]) -> bool:
    return one[3] == "workflow" and "workflow_call" in one[2]


def _together(bakes: Mapping[Path, Sequence[tuple[str, BakeSource]]]) -> Iterator[list[tuple[str, BakeSource]]]:
    """Put ``docker-bake.override.hcl`` behind the file that it overrides."""
    for path, sources in bakes.items():
        if path.name == "override":
            if not any(other.parent == path.parent and _is_default(other) for other in bakes):
                yield list(sources)
        else:
            overrides = bakes.get(path.parent / "override", ()) if _is_default(path) else ()
            yield [*sources, *overrides]


def _is_default(path: Path) -> bool:
    return path.name in ("docker-bake.hcl", "docker-bake.json")


@contextmanager
def _failing(session: Session, name: str) -> Iterator[None]:
    """Turn an error of a file into a failure."""
    try:
        yield
    except CacheGraphError as error:
        session.failures.append(Unresolved(place=Place(file=name), reason=str(error)))


def _one(session: Session, name: str, path: Path, text: str, kind: Kind | None) -> None:
    if kind in ("shell", "makefile", "jenkinsfile"):
        session.note(name, kind, text)
        if _MATTERS.search(text):
            _SCRIPTS[kind](session, name, text)
    elif kind == "devcontainer":
        with yaml_tree(name, without_comments(text), session.limits) as (tree, _):
            read_devcontainer(session, name, tree)
        session.note(name, kind, text)
    else:
        _yaml(session, name, path, text, kind)


_SCRIPTS: Mapping[str, Callable[[Session, str, str], None]] = {
    "shell": read_script,
    "makefile": read_makefile,
    "jenkinsfile": read_jenkinsfile,
}


def _yaml(session: Session, name: str, path: Path, text: str, kind: Kind | None) -> None:
    """Read a YAML file by what stands in it, where its name does not say it."""
    if kind is not None and not _MATTERS.search(text) and kind != "gitlab":
        session.note(name, kind, text)
        return
    with yaml_trees(name, text, session.limits) as (trees, budget):
        tree = trees[-1]
        scope = Scope(session=session, budget=budget)
        found = _shape(tree, kind)
        if found is None:
            raise DecodeError(
                f"{name}: neither a compose file, a workflow nor an action", hint="it has no services, jobs or runs"
            )
        session.note(name, found, text)
        match found:
            case "compose":
                read_compose(session, name, tree, path.parent if session.root is not None else None)
            case "workflow":
                read_workflow(session, name, tree, scope)
            case "action":
                read_action(session, name, tree, scope)
            case "skaffold":
                read_skaffold(session, name, trees)
            case "gitlab":
                read_gitlab(session, name, trees)


def _shape(tree: Tree, kind: Kind | None) -> Kind | None:
    if kind == "gitlab":
        return kind if tree.is_mapping else None
    shapes: Iterable[tuple[str, Kind]] = (("services", "compose"), ("jobs", "workflow"), ("runs", "action"))
    if tree.get("apiVersion").text.startswith("skaffold/"):
        return "skaffold"
    found = next((found for key, found in shapes if tree.get(key)), None)
    return found or ("gitlab" if looks_like_gitlab(tree) else None)
