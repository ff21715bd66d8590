"""The files of all that a build takes: `cachegraph.builds.trees.Files`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cachegraph.builds.content.ignore import IgnoreFile, find_ignore_file
from cachegraph.builds.content.local import local_tree
from cachegraph.builds.content.nodes import Folder
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.operations import GitOrigin, HttpOrigin, ImageOrigin, LocalOrigin
from cachegraph.loaders.sources.images import KnownImages
from cachegraph.loaders.sources.remotes import RemoteSources

__all__ = ["BuildFiles"]


@dataclass(slots=True, kw_only=True)
class BuildFiles:
    """Reads folders, images, repositories and downloads, each once.

    Parameters
    ----------
    images : KnownImages
    remotes : RemoteSources
    ignored : mapping of str to IgnoreFile
        Of each local source by name: what is left out. For ``context`` see `find_ignore_file`; a named context that
        is not listed here has its own ``.dockerignore``.
    folders : mapping of str to Folder
        Trees that stand for local sources, by name, instead of the folders on disk: a commit's, for example.
    """

    images: KnownImages
    remotes: RemoteSources
    ignored: Mapping[str, IgnoreFile] = field(default_factory=dict)
    folders: Mapping[str, Folder] = field(default_factory=dict)
    _local: dict[LocalOrigin, Folder] = field(default_factory=dict)

    def local(self, origin: LocalOrigin) -> Folder | Unknown:
        """Open a folder of the client."""
        if origin.name in self.folders:
            return self.folders[origin.name]
        if origin not in self._local:
            ignored = self.ignored.get(origin.name)
            if ignored is None:
                ignored = find_ignore_file(local_tree(origin.folder), name="")
            self._local[origin] = local_tree(origin.folder, ignored.patterns)
        return self._local[origin]

    def image(self, origin: ImageOrigin) -> Folder | Unknown:
        """Give the files of an image."""
        return self.images.image(origin)

    def is_near(self, origin: ImageOrigin) -> bool:
        """Tell whether an image's files are read without a download."""
        return self.images.is_near(origin)

    def repository(self, origin: GitOrigin) -> Folder | Unknown:
        """Give the files of a commit."""
        return self.remotes.repository(origin)

    def download(self, origin: HttpOrigin) -> Folder | Unknown:
        """Give the folder with a downloaded file."""
        return self.remotes.download(origin)
