"""What is shared while settings are read: files of the repository, what is known of it, holes, and what was found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from cachegraph.errors import CacheGraphError, DecodeError
from cachegraph.lint.bake_runs import BakeRuns
from cachegraph.lint.budget import ExpansionBudget
from cachegraph.lint.documents import Tree, guarded, parsed
from cachegraph.lint.holes import Holes, without_holes
from cachegraph.lint.model import Build, Job, Kind, SettingsFile, Unresolved
from cachegraph.lint.values import Direction, Place
from cachegraph.loaders.limits import DEFAULT, Limits
from cachegraph.loaders.paths import kind_of, read_file

__all__ = ["Session", "Surroundings", "surroundings_of"]

_HINT = "give a docker-bake.hcl or .json, a compose file or a workflow"
_REMOTE = re.compile(r'\[remote "([^"\]]{1,100})"\]([^\[]*)')
_URL = re.compile(r"^\s*url\s*=\s*(\S{1,500})\s*$", re.MULTILINE)
_GITHUB = re.compile(
    r"^(?:(?:https|ssh|git)://)?(?:[^@/\s]*@)?(?:ssh\.)?github\.com(?::\d+)?[:/]([\w.-]+)/([\w.-]+?)(?:\.git)?/?$"
)
_MOST_INCLUDED = 2_000
_SMALL = 64 << 10
_MOST_RENEWED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is known of a repository beside its files.

    Attributes
    ----------
    repository : str
        ``owner/name`` on GitHub; empty if it is not known.
    default_branch : str
    run : mapping of str to str
        Of the ``github`` context, in a run: ``ref_name``.
    variables : mapping of str to str
        Of the ``vars`` context.
    environ : mapping of str to str
        For bake and compose files.
    """

    repository: str = ""
    default_branch: str = ""
    run: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)


def surroundings_of(root: Path | None, environ: Mapping[str, str], limits: Limits = DEFAULT) -> Surroundings:
    """Look at ``.git`` for the remote and the default branch; no program is run.

    Parameters
    ----------
    root : pathlib.Path or None
    environ : mapping of str to str
        Variables for bake and compose files; ``GITHUB_*`` of a run come before what ``.git`` says.
    limits : Limits
    """
    repository = environ.get("GITHUB_REPOSITORY", "")
    branch = ""
    if root is not None:
        config = _small(root / ".git" / "config", limits)
        remotes = {name: _URL.search(body) for name, body in _REMOTE.findall(config)}
        chosen = remotes.get("upstream") or remotes.get("origin") or next(iter(remotes.values()), None)
        if chosen and not repository and (named := _GITHUB.match(chosen[1])):
            repository = f"{named[1]}/{named[2]}"
        head = _small(root / ".git" / "refs" / "remotes" / "origin" / "HEAD", limits)
        branch = head.strip().removeprefix("ref: refs/remotes/origin/") if head.startswith("ref: ") else ""
    run: dict[str, str] = {}
    if environ.get("GITHUB_ACTIONS") == "true":
        run = {
            name.removeprefix("GITHUB_").lower(): value
            for name, value in environ.items()
            if name.startswith("GITHUB_") and name not in ("GITHUB_TOKEN", "GITHUB_ACTIONS")
        }
    return Surroundings(repository=repository, default_branch=branch, run=run, environ=environ)


def _small(path: Path, limits: Limits) -> str:
    if kind_of(path) != "file":
        return ""
    try:
        data = read_file(path, str(path), limit=min(_SMALL, limits.settings_bytes), name="settings_bytes", hint="")
    except CacheGraphError:
        return ""
    return data.decode("utf-8", "replace")


def _resolved(path: Path) -> Path | None:
    """Follow links; None for what no file can be called."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return None


class Session:
    """Files that are read together, and what is found in them.

    Parameters
    ----------
    root : pathlib.Path or None
        Where paths of ``uses: ./`` and ``include: local`` start.
    around : Surroundings
    limits : Limits
    """

    def __init__(self, root: Path | None, around: Surroundings, limits: Limits) -> None:
        self.root = root
        self._resolved = _resolved(root) if root is not None else None
        self.around = around
        self.limits = limits
        self.holes = Holes()
        self.jobs: list[Job] = []
        self.builds: list[Build] = []
        self.unresolved: list[Unresolved] = []
        self.failures: list[Unresolved] = []
        self.files: dict[str, SettingsFile] = {}
        self.called: set[str] = set()
        self.bake_runs = BakeRuns(self.holes)
        self.groups: dict[str, dict[str, list[str]]] = {}
        self._renewed = 0
        self._trees: dict[str, tuple[Tree, ExpansionBudget]] = {}
        self._texts: dict[str, str | None] = {}

    def budget(self, file: str) -> ExpansionBudget:
        """Make a budget for a file."""
        return ExpansionBudget(file, self.limits)

    def renew(self, budget: ExpansionBudget) -> None:
        """Renew a file's budget for one more combination of a matrix, so often and no more for all files together."""
        self._renewed += 1
        if self._renewed <= _MOST_RENEWED:
            budget.renew()

    def name(self, path: Path) -> str:
        """Call a file as places do: from the root where it is below it."""
        inside = _resolved(path)
        if self._resolved is not None and inside is not None and inside.is_relative_to(self._resolved):
            return inside.relative_to(self._resolved).as_posix()
        return str(path)

    def text(self, path: Path) -> str:
        """Read a file.

        Raises
        ------
        cachegraph.errors.SourceError
            It cannot be read.
        """
        limit = self.limits.settings_bytes
        data = read_file(path, str(path), limit=limit, name="settings_bytes", hint=_HINT)
        try:
            return without_holes(data.decode("utf-8-sig").replace("\r\n", "\n"))
        except UnicodeDecodeError:
            raise DecodeError(f"{path}: not UTF-8") from None

    def beside(self, relative: str, start: Path | None = None) -> tuple[Path, str] | None:
        """Read a file that another names; None if it is not there, or not within the repository."""
        base = start or self.root
        if base is None or "\0" in relative or len(self._texts) > _MOST_INCLUDED:
            return None
        parts = PurePosixPath(relative.lstrip("/") if start is None else relative).parts
        path = base.joinpath(*parts)
        inside = _resolved(path)
        if inside is None or (self._resolved is not None and not inside.is_relative_to(self._resolved)):
            return None
        key = str(inside)
        if key not in self._texts:
            try:
                self._texts[key] = self.text(path) if kind_of(path) == "file" else None
            except CacheGraphError:
                self._texts[key] = None
        text = self._texts[key]
        return None if text is None else (path, text)

    @contextmanager
    def opened(self, file: str, text: str) -> Iterator[tuple[Tree, ExpansionBudget]]:
        """Open a YAML file that is called from several places; it is parsed once.

        Raises
        ------
        cachegraph.errors.DecodeError
            Not YAML.
        """
        with guarded(file):
            if file not in self._trees:
                trees, budget = parsed(file, text, self.limits, only=1)
                self._trees[file] = trees[0], budget
            self._trees[file][1].renew()
            yield self._trees[file]

    def called_file(self, kind: Kind, found: tuple[Path, str]) -> str:
        """Remember a file that another one calls or includes, as `beside` gave it, and give its name."""
        path, text = found
        name = self.name(path)
        self.called.add(name)
        self.note(name, kind, text)
        return name

    def note(self, file: str, kind: Kind, text: str) -> None:
        """Remember a file that was read."""
        self.files.setdefault(file, SettingsFile(name=file, kind=kind, text=text))

    def pass_over(self, place: Place, reason: str, direction: Direction | None = None) -> None:
        """Remember what could not be told."""
        self.unresolved.append(Unresolved(place=place, reason=reason, direction=direction))
