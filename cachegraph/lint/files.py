"""Files that hold cache entries: bake files, compose files, GitHub workflows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from cachegraph.errors import DecodeError, SpecError
from cachegraph.lint.bake_files import specs_in_bake_hcl, specs_in_bake_json
from cachegraph.lint.found import FoundSpec
from cachegraph.lint.yaml_files import specs_in_yaml
from cachegraph.loaders.limits import DEFAULT, Limits
from cachegraph.loaders.paths import read_file

__all__ = ["FORMATS", "FoundSpec", "specs_in_file"]

FORMATS = {
    ".hcl": specs_in_bake_hcl,
    ".json": specs_in_bake_json,
    ".yaml": specs_in_yaml,
    ".yml": specs_in_yaml,
}
"""Readers by the end of a file's name."""

_HINT = "give a docker-bake.hcl or .json, a compose file or a workflow"


def specs_in_file(path: Path, environ: Mapping[str, str] | None = None, limits: Limits = DEFAULT) -> list[FoundSpec]:
    """Find the cache entries of a file.

    Parameters
    ----------
    path : pathlib.Path
        A ``docker-bake.hcl`` or ``.json``, a compose file, a GitHub workflow or a composite action.
    environ : mapping of str to str, optional
        Variables that bake and compose files may use; this process's own by default.
    limits : Limits

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
    data = read_file(path, str(path), limit=limits.settings_bytes, name="settings_bytes", hint=_HINT)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DecodeError(f"{path}: not UTF-8") from None
    return reader(str(path), text, os.environ if environ is None else environ, limits)
