"""What servers say today: the files behind addresses, and the commits that names of repositories mean.

Source: BuildKit ``source/http/source.go``, ``source/git/source.go`` (``resolveMetadataFromURL``).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from cachegraph.builds.content.nodes import Bytes, File, Folder, Metadata
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.keys import RemoteFile, Resolved
from cachegraph.builds.operations import GitOrigin, HttpOrigin
from cachegraph.errors import CacheGraphError
from cachegraph.loaders.base import Options
from cachegraph.loaders.http.client import Http
from cachegraph.loaders.sources.git import is_commit, list_remote
from cachegraph.loaders.sources.repository import Repository, fetched, temporary_folder
from cachegraph.loaders.specs.reference import is_loopback

__all__ = ["RemoteSources"]

_DOWNLOAD = 64 << 20


@dataclass(slots=True, kw_only=True)
class RemoteSources:
    """Servers, each asked once.

    Parameters
    ----------
    options : Options
        Its timeout counts.
    offline : bool
        Ask nobody: what only a server knows is unknown.
    limit : int
        Bytes that a file behind an address may have to be downloaded.
    """

    options: Options = field(default_factory=Options)
    offline: bool = False
    limit: int = _DOWNLOAD
    _files: dict[str, tuple[bytes, str] | Unknown] = field(default_factory=dict)
    _commits: dict[GitOrigin, Resolved | Unknown] = field(default_factory=dict)
    _folders: list[TemporaryDirectory[str]] = field(default_factory=list)
    _repositories: list[Repository] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def close(self) -> None:
        """Remove what was fetched."""
        for repository in self._repositories:
            repository.close()
        for folder in self._folders:
            folder.cleanup()
        self._repositories.clear()
        self._folders.clear()

    def file(self, origin: HttpOrigin) -> RemoteFile | Unknown:
        """Ask for a file: BuildKit's key has the digest of its bytes, so it is downloaded."""
        found = self._download(origin.url)
        if isinstance(found, Unknown):
            return found
        data, last_modified = found
        return RemoteFile(digest=f"sha256:{sha256(data).hexdigest()}", last_modified=last_modified)

    def download(self, origin: HttpOrigin) -> Folder | Unknown:
        """Give the folder with the file that ADD takes: mode 0600, named as the address ends."""
        found = self._download(origin.url)
        if isinstance(found, Unknown):
            return found
        data = found[0]
        if origin.checksum and origin.checksum != f"sha256:{sha256(data).hexdigest()}":
            reason = f"{origin.url} has another checksum than the Dockerfile says ({origin.checksum[:19]})"
            return Unknown(because="refused", reason=reason)
        file = File(metadata=Metadata(mode=0o600), blob=Bytes(data))
        return Folder(metadata=Metadata(mode=0o755), children={origin.filename: file})

    def _download(self, url: str) -> tuple[bytes, str] | Unknown:
        """Download a file, once."""
        if url not in self._files:
            self._files[url] = self._get(url)
        return self._files[url]

    def _get(self, url: str) -> tuple[bytes, str] | Unknown:
        if self.offline:
            return Unknown(because="remote", reason=f"{url} was not asked for, since servers are not to be asked")
        host = urlsplit(url).netloc.rpartition("@")[2]
        http: Http | None = None
        try:
            plain = {host} if url.startswith("http://") else set()
            near = is_loopback(host)
            http = Http(
                timeout=self.options.timeout,
                connections=1,
                plain=plain,
                proxies=not near,
                near=near,
                limits=self.options.limits,
            )
            client = http
            answer = client.retry(lambda: client.send("GET", url, headers={"Accept": "*/*"}, limit=self.limit))
        except CacheGraphError as error:
            return Unknown(because="remote", reason=f"{url} cannot be downloaded: {error.message}")
        finally:
            if http is not None:
                http.close()
        if answer.status != 200:
            return Unknown(because="remote", reason=f"{url} cannot be downloaded: the server answered {answer.status}")
        return answer.body, answer.headers.get("Last-Modified", "")

    def commit(self, origin: GitOrigin) -> Resolved | Unknown:
        """Ask which commit a repository's name means."""
        if origin not in self._commits:
            self._commits[origin] = self._resolve(origin)
        return self._commits[origin]

    def _resolve(self, origin: GitOrigin) -> Resolved | Unknown:
        if is_commit(origin.ref):
            return Resolved(commit=origin.ref, ref=origin.ref)
        if origin.fetch_by_commit and is_commit(origin.checksum):
            ref = origin.ref if origin.ref.startswith("refs/") else f"refs/heads/{origin.ref}"
            return Resolved(commit=origin.checksum, ref=ref if origin.ref else origin.checksum)
        if self.offline:
            reason = f"{origin.remote} was not asked for {origin.ref or 'HEAD'}, since servers are not to be asked"
            return Unknown(because="remote", reason=reason)
        try:
            name = origin.ref
            if not name:
                name = list_remote(origin.remote, "HEAD", timeout=self.options.timeout).get("HEAD@", "")
            found = list_remote(origin.remote, name, f"{name}^{{}}", timeout=self.options.timeout) if name else {}
        except CacheGraphError as error:
            return Unknown(because="remote", reason=error.message)
        resolved = _chosen(found, name)
        if resolved is None:
            reason = f"the repository has no {origin.ref or 'default branch'} (BuildKit ends the build)"
            return Unknown(because="refused", reason=reason)
        if not resolved.commit.startswith(origin.checksum) and not resolved.tagged.startswith(origin.checksum):
            reason = f"{origin.ref or 'HEAD'} is at {resolved.commit[:12]}, not at {origin.checksum[:12]}"
            return Unknown(because="refused", reason=reason)
        return resolved

    def repository(self, origin: GitOrigin) -> Folder | Unknown:
        """Fetch a commit and give its files."""
        if origin.keep_git_dir:
            return Unknown(because="remote", reason="what .git holds (keep-git-dir) differs from clone to clone")
        # Times of files (``mtime=commit``) are in the key of a repository, and in no content key.
        resolved = self.commit(origin)
        if isinstance(resolved, Unknown):
            return resolved
        if self.offline:
            reason = f"{resolved.commit[:12]} was not fetched, since servers are not to be asked"
            return Unknown(because="remote", reason=reason)
        commit = resolved.tagged or resolved.commit
        try:
            folder = temporary_folder()
            self._folders.append(folder)
            timeout = max(self.options.timeout, 120.0)
            repository = fetched(origin.remote, commit, resolved.ref, Path(folder.name), timeout=timeout)
            self._repositories.append(repository)
            return repository.tree(repository.resolve(commit), origin.subdir.strip("/"))
        except CacheGraphError as error:
            return Unknown(because="remote", reason=error.message)


def _chosen(found: Mapping[str, str], name: str) -> Resolved | None:
    """Choose as git's checkout does: the name as it is, then a branch, then a tag."""
    whole = f"refs/{name.removeprefix('refs/')}"
    head = f"refs/heads/{name.removeprefix('refs/heads/')}"
    tag = f"refs/tags/{name.removeprefix('refs/tags/')}"
    for ref in (whole if whole not in (head, tag) else "", head, tag):
        if ref in found:
            tagged = found.get(f"{tag}^{{}}", "") if ref == tag else ""
            return Resolved(commit=found[ref], tagged=tagged, ref=ref)
    return None
