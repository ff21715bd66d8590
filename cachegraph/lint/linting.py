"""From paths to findings: which repository they are of, what is read of it, and what is told."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cachegraph.errors import MissingExtraError, NotFoundError
from cachegraph.lint.finding import find_settings
from cachegraph.lint.model import Repository
from cachegraph.lint.reader import read_settings, read_texts
from cachegraph.lint.rules.base import LintFinding
from cachegraph.lint.rules.catalogue import lint
from cachegraph.lint.rules.dockerfiles import find_dockerfiles, is_dockerfile
from cachegraph.loaders.limits import DEFAULT, Limits

__all__ = ["Linted", "lint_paths", "lint_text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Linted:
    """What linting found.

    Attributes
    ----------
    root : pathlib.Path or None
        The folder that names of files are told from; None for text.
    repository : Repository
        All that was read.
    findings : tuple of LintFinding
        About what was asked for, by file and line.
    dockerfiles : tuple of str
        That were found or named.
    named : frozenset of str
        Files that were named themselves.
    """

    root: Path | None
    repository: Repository
    findings: tuple[LintFinding, ...]
    dockerfiles: tuple[str, ...] = ()
    named: frozenset[str] = frozenset()

    def path(self, name: str) -> Path | None:
        """Give the path of a file by its name."""
        return self.root / name if self.root is not None else None


def lint_paths(paths: Sequence[Path], *, environ: Mapping[str, str] | None = None, limits: Limits = DEFAULT) -> Linted:
    """Read the repository that paths are in, and tell what is wrong in these.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Files and folders; none for the whole repository of the current folder. The rest of the repository is read as
        well, since who writes a cache may stand in another file.
    environ : mapping of str to str, optional
        Variables of bake and compose files; by default none.
    limits : Limits

    Raises
    ------
    cachegraph.errors.NotFoundError
        There is no such file or folder.
    cachegraph.errors.MissingExtraError
        The reader of YAML is not installed.
    """
    _need_yaml()
    for path in paths:
        if not path.exists():
            raise NotFoundError(f"{path}: there is no such file or folder")
    here = [path.resolve() for path in paths] or [Path.cwd()]
    repository = _repository_of(here)
    root = repository or _folder_of(here)
    files = [path for path in here if path.is_file()]
    folders = [path for path in here if not path.is_file()]
    found = find_settings(root, limits) if repository or folders else []
    dockerfiles = find_dockerfiles(root) if repository or folders else []
    known = set(found)
    settings = [path for path in files if path not in known and not is_dockerfile(path.name)]
    dockerfiles += [
        name for path in files if is_dockerfile(path.name) and (name := _name(path, root)) not in set(dockerfiles)
    ]
    read = read_settings([*found, *settings], root=root, environ=environ, limits=limits)
    findings = lint(read, root, dockerfiles, is_whole=bool(repository or folders))
    asked = [_name(path, root) for path in here] if paths else ["."]
    return Linted(
        root=root,
        repository=read,
        findings=tuple(finding for finding in findings if _is_in(finding.place.file, asked)),
        dockerfiles=tuple(dockerfiles),
        named=frozenset(_name(path, root) for path in files),
    )


def lint_text(text: str, *, limits: Limits = DEFAULT) -> Linted:
    """Tell what is wrong with what ``docker buildx bake --print`` or ``docker compose config`` prints.

    Parameters
    ----------
    text : str
    limits : Limits
    """
    _need_yaml()
    name = "docker-bake.json" if text.lstrip().startswith("{") else "compose.yaml"
    read = read_texts({name: text}, limits=limits)
    findings = tuple(replace(finding, fix=None) for finding in lint(read, None, is_whole=False))
    return Linted(root=None, repository=read, findings=findings, named=frozenset({name}))


def _need_yaml() -> None:
    """Ask for the reader of YAML at once: without it, most of a repository would go unread file by file."""
    try:
        import yaml  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise MissingExtraError("Linting", "files") from error


def _repository_of(paths: Sequence[Path]) -> Path | None:
    """Find the folder with ``.git`` that all paths are in."""
    common = _folder_of(paths)
    return next((folder for folder in (common, *common.parents) if (folder / ".git").exists()), None)


def _folder_of(paths: Sequence[Path]) -> Path:
    common = Path(os.path.commonpath(paths))
    return common.parent if common.is_file() else common


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _is_in(file: str, asked: Sequence[str]) -> bool:
    return any(one == "." or file == one or file.startswith(f"{one}/") for one in asked)
