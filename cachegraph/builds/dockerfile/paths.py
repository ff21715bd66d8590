"""Paths of the image that is built: with slashes, and without a drive on Windows (BuildKit ``util/system``)."""

from __future__ import annotations

from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.gotext import clean, is_absolute, join

__all__ = ["is_absolute_on", "llb_path", "normalize_path", "normalize_workdir", "to_slash", "without_drive"]


def to_slash(path: str, system: str) -> str:
    """Write a path with slashes."""
    return path.replace("\\", "/") if system == "windows" else path


def without_drive(path: str, system: str, *, keep_slash: bool = False) -> str:
    """Take the drive off a path of Windows (``CheckSystemDriveAndRemoveDriveLetter``).

    Raises
    ------
    DockerfileError
        Another drive than C:, or a share.
    """
    if system != "windows":
        return path
    if len(path) == 2 and path[1] == ":":
        raise DockerfileError(f'No relative path specified in "{path}"')
    if to_slash(path[:2], system) == "//":
        raise DockerfileError("UNC paths are not supported")
    drive, colon, rest = path.partition(":")
    if colon and drive.lower() != "c":
        raise DockerfileError("The specified path is not on the system drive (C:)")
    slashed = to_slash(rest if colon else path, system)
    cleaned = clean(slashed)
    return f"{cleaned}/" if keep_slash and len(cleaned) > 1 and slashed.endswith("/") else cleaned


def is_absolute_on(path: str, system: str) -> bool:
    """Tell whether a path is absolute."""
    try:
        return is_absolute(to_slash(without_drive(path, system), system))
    except DockerfileError:
        return False


def normalize_path(parent: str, path: str, system: str, *, keep_slash: bool = False) -> str:
    """Join a path to its parent (``NormalizePath``). An absolute path stays as it is written.

    Raises
    ------
    DockerfileError
    """
    original = path = to_slash(path, system)
    parent = without_drive(to_slash(parent, system) or "/", system, keep_slash=keep_slash)
    if not is_absolute_on(parent, system):
        parent = join("/", parent)
    path = without_drive(path or parent, system, keep_slash=keep_slash)
    if not is_absolute_on(path, system):
        path = join(parent, path)
    return to_slash(_with_slash(original, path) if keep_slash else path, system)


def normalize_workdir(current: str, path: str, system: str) -> str:
    """Give the folder that WORKDIR sets (``NormalizeWorkdir``).

    Raises
    ------
    DockerfileError
    """
    folder = normalize_path(current, path, system)
    return folder.replace("/", "\\") if system == "windows" else folder


def llb_path(parent: str, path: str, *, keep_slash: bool = False) -> str:
    """Clean the path of a file action (``client/llb``: ``normalizePath``)."""
    cleaned = clean(path)
    if not is_absolute(cleaned):
        cleaned = join("/", parent, cleaned)
    return _with_slash(path, cleaned) if keep_slash else cleaned


def _with_slash(original: str, path: str) -> str:
    """Keep the slash or dot that a path ended in."""
    if original.endswith("/"):
        return path if path.endswith("/") else f"{path}/"
    if original.endswith("/."):
        return f"{path}." if path == "/" else f"{path}/."
    return path
