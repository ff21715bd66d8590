"""The files of the samples as the package holds them.

Each sample is an archive, ``archives/NAME.tar.xz``, so that a new one changes no other. A file that is in a sample
twice is a hard link the second time. What is large and compressed already, such as the layer of a base image, lies
beside the archives as ``large/DIGEST``, once for all of them, and is a symbolic link in each.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import tarfile
from dataclasses import dataclass
from importlib import resources

__all__ = ["File", "archive_of", "fingerprint", "read"]

_HOME = resources.files("cachegraph.sampledata")


@dataclass(frozen=True, slots=True)
class File:
    """One file of a sample.

    Attributes
    ----------
    content : bytes
    mode : int
        Permissions: they are in the keys of a build that copies the file.
    """

    content: bytes
    mode: int = 0o644


def archive_of(name: str) -> str:
    """Give the path of a sample's archive in this package."""
    return f"archives/{name}.tar.xz"


def read(name: str) -> dict[str, File]:
    """Read the files of a sample by their paths in it.

    Parameters
    ----------
    name : str
    """
    found = {}
    packed = lzma.decompress(_HOME.joinpath(archive_of(name)).read_bytes())
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for member in archive:
            file = None if member.issym() else archive.extractfile(member)
            content = _HOME.joinpath(member.linkname).read_bytes() if file is None else file.read()
            found[member.name] = File(content, member.mode)
    return found


def fingerprint(name: str) -> str:
    """Give eight hex digits that change when a sample does."""
    return hashlib.sha256(_HOME.joinpath(archive_of(name)).read_bytes()).hexdigest()[:8]
