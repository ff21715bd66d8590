"""The jars of Neo4j: listed in lock files with their SHA-256, fetched from Maven repositories, cached."""

from __future__ import annotations

import configparser
import hashlib
import shutil
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cachegraph.core.progress import Report
from cachegraph.errors import StoreError
from cachegraph.server.places import cache_home, needs_server_extra, writing

if TYPE_CHECKING:
    from jgo.maven import MavenContext

__all__ = ["Jar", "fetch", "maven", "read_lock"]

_ATTEMPTS = 3
_THREADS = 16
_TIMEOUT = 60


class _BrokenError(Exception):
    """What arrived is not the jar that the lock file names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    """One jar of a lock file.

    Attributes
    ----------
    group, artifact, version, classifier : str
        Its Maven coordinates; the classifier is empty for most.
    sha256 : str
        Digest of its bytes, in hexadecimal.
    """

    group: str
    artifact: str
    version: str
    classifier: str
    sha256: str

    @property
    def name(self) -> str:
        """File name, as in a Maven repository."""
        return f"{self.artifact}-{self.version}{self.classifier and '-' + self.classifier}.jar"

    @property
    def path(self) -> Path:
        """Place in the cache, as in a Maven repository."""
        return Path(*self.group.split("."), self.artifact, self.version, self.name)


def read_lock(name: str) -> tuple[Jar, ...]:
    """Read a lock file: for each jar ``<sha256> <group>:<artifact>:<version>[:<classifier>]``, in class path order.

    Parameters
    ----------
    name : str
        Such as ``neo4j-5.26.30``.
    """
    lines = (files("cachegraph.server") / "locks" / f"{name}.lock").read_text(encoding="utf-8").splitlines()
    jars = []
    for line in lines:
        sha256, coordinates = line.split()
        group, artifact, version, *classifier = coordinates.split(":")
        jar = Jar(group=group, artifact=artifact, version=version, classifier="".join(classifier), sha256=sha256)
        jars.append(jar)
    return tuple(jars)


def maven(repository: Path) -> MavenContext:
    """Make a resolver that fetches into a directory, from the repositories of jgo's own settings.

    A user's mirror is the line ``central = ADDRESS`` under ``[repositories]`` of jgo's settings file.

    Raises
    ------
    cachegraph.errors.StoreError
        The settings file cannot be understood.
    """
    with needs_server_extra():
        from jgo.config import GlobalSettings
        from jgo.maven import MavenContext
    try:
        repositories = GlobalSettings.load().repositories
    except configparser.Error:  # Its text may hold a repository's password.
        raise StoreError("jgo's settings file cannot be understood", hint="write % as %% in it") from None
    context = MavenContext(repo_cache=repository, timeout=_TIMEOUT)
    context.remote_repos.update(repositories)
    return context


def fetch(lock: str, report: Report) -> tuple[Path, ...]:
    """Give every jar of a lock file, checked by SHA-256, downloading what the cache lacks.

    Parameters
    ----------
    lock : str
        Name of the lock file.
    report : Report
        Told of each jar that arrives, and of each that has to be fetched again.

    Returns
    -------
    tuple of Path
        The jars in class path order.

    Raises
    ------
    cachegraph.errors.StoreError
        A repository cannot be reached, lacks a jar or gives a broken one, or the cache cannot be written.
    """
    with needs_server_extra():
        from filelock import FileLock
    jars, cache = read_lock(lock), cache_home()
    with writing(cache):
        if _missing(jars, cache):
            cache.mkdir(parents=True, exist_ok=True)
            with FileLock(cache / "lock"):
                _download(lock, jars, cache, report)
    return tuple(cache / jar.path for jar in jars)


def _missing(jars: Sequence[Jar], cache: Path) -> list[Jar]:
    with ThreadPoolExecutor(_THREADS) as pool:
        return [
            jar for jar, good in zip(jars, pool.map(lambda jar: _is_good(jar, cache), jars), strict=True) if not good
        ]


def _is_good(jar: Jar, repository: Path) -> bool:
    try:
        with (repository / jar.path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256
    except (FileNotFoundError, NotADirectoryError):
        return False


def _download(lock: str, jars: Sequence[Jar], cache: Path, report: Report) -> None:
    missing = _missing(jars, cache)
    done, total, what = len(jars) - len(missing), len(jars), f"downloading {lock}"
    for jar in missing:
        if (cache / jar.path).exists():
            report(f"{jar.name} in the cache is broken, fetching it again", done, total)
    arriving = cache / "arriving"
    shutil.rmtree(arriving, ignore_errors=True)  # What a killed download left.
    context = maven(arriving)
    pool = ThreadPoolExecutor(_THREADS)
    try:
        pending: dict[Future[None], tuple[Jar, int]]
        pending = {pool.submit(_download_one, jar, context, cache): (jar, 1) for jar in missing}
        while pending:
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                jar, attempt = pending.pop(future)
                try:
                    future.result()
                except _BrokenError as error:
                    if attempt == _ATTEMPTS:
                        raise _failed(jar, error, context) from None  # The cause may hold a repository's password.
                    report(f"{jar.name} {error}, fetching it again", done, total)
                    pending[pool.submit(_download_one, jar, context, cache)] = (jar, attempt + 1)
                else:
                    done += 1
                    report(what, done, total)
    finally:
        pool.shutdown(cancel_futures=True)
        shutil.rmtree(arriving, ignore_errors=True)


def _download_one(jar: Jar, context: MavenContext, cache: Path) -> None:
    from requests import RequestException, Timeout

    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact(jar.classifier)
    arrived = context.repo_cache / jar.path
    arrived.unlink(missing_ok=True)
    try:
        artifact.resolve()
    except Timeout:
        raise _BrokenError("did not arrive in time") from None
    except RequestException:
        raise _BrokenError("did not arrive: the connection failed or broke off") from None
    except RuntimeError:
        raise _BrokenError("is not there, or was refused") from None
    if not _is_good(jar, context.repo_cache):
        raise _BrokenError("arrived broken: its SHA-256 is not the expected one")
    (cache / jar.path).parent.mkdir(parents=True, exist_ok=True)
    arrived.replace(cache / jar.path)


def _failed(jar: Jar, error: _BrokenError, context: MavenContext) -> StoreError:
    hosts = ", ".join(urlsplit(address).hostname or "a local repository" for address in context.remote_repos.values())
    return StoreError(
        f"{jar.group}:{jar.artifact}:{jar.version} from {hosts}: {jar.name} {error} ({_ATTEMPTS} attempts)",
        hint="try again, or name a mirror in jgo's settings",
    )
