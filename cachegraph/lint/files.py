"""Files that hold cache entries: bake files, compose files, GitHub workflows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from cachegraph.errors import AccessError, DecodeError, NotFoundError, SpecError
from cachegraph.lint.bake_files import specs_in_bake_hcl, specs_in_bake_json
from cachegraph.lint.found import FoundSpec
from cachegraph.lint.yaml_files import specs_in_yaml

__all__ = ["FORMATS", "FoundSpec", "specs_in_file"]

FORMATS = {
    ".hcl": specs_in_bake_hcl,
    ".json": specs_in_bake_json,
    ".yaml": specs_in_yaml,
    ".yml": specs_in_yaml,
}
"""Readers by the end of a file's name."""

_HINT = "give a docker-bake.hcl or .json, a compose file or a workflow"
_MAX_BYTES = 4 * 1024 * 1024  # no such file that people write comes near


def specs_in_file(path: Path, environ: Mapping[str, str] | None = None) -> list[FoundSpec]:
    """Find the cache entries of a file.

    Parameters
    ----------
    path : pathlib.Path
        A ``docker-bake.hcl`` or ``.json``, a compose file, a GitHub workflow or a composite action.
    environ : mapping of str to str, optional
        Variables that bake and compose files may use; this process's own by default.

    Returns
    -------
    list of FoundSpec
        In the file's order, each with its text or the reason why it is not known. None of them is loaded.

    Raises
    ------
    cachegraph.errors.SpecError
        A file of no such kind, by its name.
    cachegraph.errors.MissingExtraError
        The reader of the format is not installed.
    cachegraph.errors.SourceError
        No such file, no right to read it, or not what its name says.
    """
    reader = FORMATS.get(path.suffix.lower())
    if reader is None:
        raise SpecError(
            f"{path}: {path.suffix or 'no suffix'} is not a kind of file that holds cache entries", hint=_HINT
        )
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_BYTES + 1)
        text = data.decode("utf-8-sig")
    except FileNotFoundError:
        raise NotFoundError(f"{path}: no such file") from None
    except OSError as error:
        raise AccessError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DecodeError(f"{path}: not UTF-8") from None
    if len(data) > _MAX_BYTES:
        raise DecodeError(f"{path}: more than {_MAX_BYTES:,} bytes", hint=_HINT)
    return reader(str(path), text, os.environ if environ is None else environ)
