"""Samples on disk: a copy of one's own in a folder, or one to read in the user's cache folder."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from cachegraph.errors import AccessError, UsageError
from cachegraph.sampledata.archive import File, fingerprint, read
from cachegraph.sampledata.catalogue import SAMPLES, Samples, named

__all__ = ["sample", "samples"]


def samples() -> Samples:
    """List the samples that come with the package.

    Returns
    -------
    Samples
        In a notebook a table: name, and what it shows. Each has its ``name``.

    Examples
    --------
    >>> [sample.name for sample in samples()][:3]
    ['web-max', 'web-min', 'web-oci']
    """
    return SAMPLES


def sample(name: str, into: str | os.PathLike[str] | None = None) -> Path:
    """Give the folder of a sample: a real export, or a build to ask about.

    Parameters
    ----------
    name : str
        One of `samples`.
    into : path-like, optional
        Write a copy to this folder, which must not be there yet: it is yours to change. By default the sample is only
        to be read, in the user's cache folder; where that cannot be written, in a folder that goes when Python ends.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    UnknownNameError
        There is no such sample; what there is, and which name is nearest.
    UsageError
        Something is at `into` already.
    AccessError
        `into` cannot be written.
    """
    files = read(named(name).name)
    if into is not None:
        return _copy(files, Path(into))
    for place in _places():
        folder = place / fingerprint(name) / name
        with suppress(OSError):
            _write(folder, files)
            return folder
    raise AccessError("no folder for samples can be written", hint="set XDG_CACHE_HOME or TMPDIR to one that can")


def _copy(files: dict[str, File], folder: Path) -> Path:
    """Write a copy: whole, or not at all."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as made:
            whole = Path(made, folder.name)
            _write(whole, files)
            if os.path.lexists(folder):
                raise UsageError(f"{folder} is there already", hint="name another folder, or remove it")
            whole.rename(folder)
    except OSError as error:
        raise AccessError(f"{folder}: {error.strerror or error}", hint="name a folder that can be written") from None
    return folder


def _write(folder: Path, files: dict[str, File]) -> None:
    """Have the files in a folder, whoever else writes them at the same time. Modes count in keys, so no umask does."""
    for parent in sorted({parent for path in files for parent in Path(path).parents}):
        with suppress(FileExistsError):
            (folder / parent).mkdir(parents=True)
            (folder / parent).chmod(0o755)
    for path, file in files.items():
        _put(folder / path, file)


def _put(path: Path, file: File) -> None:
    with suppress(OSError):
        if path.read_bytes() == file.content and path.stat().st_mode & 0o777 == file.mode:
            return
    number, made = tempfile.mkstemp(prefix=f".{path.name[:20]}-", dir=path.parent)
    try:
        with os.fdopen(number, "wb") as open_file:
            open_file.write(file.content)
        Path(made).chmod(file.mode)
        Path(made).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(made).unlink()
        raise


def _places() -> Iterator[Path]:
    """Give the folders to try, one after the other."""
    with suppress(RuntimeError):  # nobody's home
        yield _caches() / "cachegraph" / "samples"
    yield _own()


def _caches() -> Path:
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if given.is_absolute():  # another is to be ignored, the specification says
        return given
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local)
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")


@cache
def _own() -> Path:
    """Make a folder of this process, which goes with it."""
    made = tempfile.mkdtemp(prefix="cachegraph-samples-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(made)
