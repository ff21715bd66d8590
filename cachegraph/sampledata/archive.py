"""The files of the samples as the package holds them.

``samples.tar.xz`` has a folder for each sample. A file that is in several samples is there once, and a hard link
elsewhere. What is large and compressed already lies beside it, ``large/DIGEST``, and is a symbolic link in the archive:
so git keeps it once, however often the archive is made.
"""

from __future__ import annotations

import io
import lzma
import tarfile
from dataclasses import dataclass
from importlib import resources

__all__ = ["ARCHIVE", "HOME", "File", "fingerprint", "read"]

HOME = resources.files("cachegraph.sampledata")
"""Folder of the archive."""

ARCHIVE = "samples.tar.xz"
"""Its name."""


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


def read(name: str) -> dict[str, File]:
    """Read the files of a sample by their paths in it.

    Parameters
    ----------
    name : str
    """
    found = {}
    packed = io.BytesIO(lzma.decompress(HOME.joinpath(ARCHIVE).read_bytes()))
    with tarfile.open(fileobj=packed) as archive:
        for member in archive:
            if member.name.startswith(f"{name}/"):
                if member.issym():
                    content = HOME.joinpath(member.linkname).read_bytes()
                else:
                    file = archive.extractfile(member)
                    assert file is not None
                    content = file.read()
                found[member.name.removeprefix(f"{name}/")] = File(content, member.mode)
    return found


def fingerprint() -> str:
    """Give eight hex digits that change when any sample does."""
    from hashlib import sha256

    return sha256(HOME.joinpath(ARCHIVE).read_bytes()).hexdigest()[:8]
