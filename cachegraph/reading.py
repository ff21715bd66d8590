"""How a graph is made: of sources that are read, or of a cache config's bytes."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from cachegraph.core.model import Names
from cachegraph.errors import CacheGraphWarning
from cachegraph.graph import CacheGraph
from cachegraph.loaders import several
from cachegraph.loaders.base import Options
from cachegraph.loaders.catalogue import Failure
from cachegraph.loaders.config import export_from_config

__all__ = ["NameSource", "Source", "from_config", "load"]

Source = str | os.PathLike[str]
"""What names exports: a spec as buildx takes it, a path, or an image reference."""

NameSource = Names | str | os.PathLike[str]
"""What gives records their names: names that were read, or where to read them."""


def load(
    specs: Source | Iterable[Source],
    *,
    names: NameSource | Iterable[NameSource] | None = None,
    errors: Literal["raise", "warn"] = "raise",
    options: Options | None = None,
) -> CacheGraph:
    """Read exports from wherever they are.

    Parameters
    ----------
    specs : str or path, or iterable of these
        What buildx takes for ``--cache-from``, a path, or an image reference; several give one graph. A place that is
        named twice, however it is spelt, is read once, and a note (``source-problems``) says so.
    names : Names, str or path, or iterable of these, optional
        Where to read names of records (see `cachegraph.loaders.names.read`), or names that were read. Of a digest that
        several of them name, the last counts.
    errors : {"raise", "warn"}
        What to do about a source that cannot be read: raise its error, or warn and go on; ``graph.failures`` then
        holds it.
    options : Options, optional

    Returns
    -------
    CacheGraph

    Raises
    ------
    cachegraph.errors.CacheGraphError
        The first source that could not be read, unless ``errors`` is ``warn``.
    TypeError, ValueError
        An argument of a kind that is not taken.
    """
    if errors not in ("raise", "warn"):
        raise ValueError(f"errors is 'raise' or 'warn', not {errors!r}")
    options = options or Options()
    loaded = several.read(_several(specs, "specs"), options)
    read, nameless = _names(names, options)
    failures = (*loaded.failures, *nameless)
    for failure in failures:
        if errors == "raise":
            raise failure.error
        warnings.warn(str(failure.error), CacheGraphWarning, stacklevel=2)
    return CacheGraph(loaded.exports, read, failures=failures)


def _several(given: Any, what: str) -> list[Any]:  # noqa: ANN401 - whatever a caller gives
    """Make a list of one or several."""
    if isinstance(given, (str, os.PathLike, Names)):
        return [given]
    if isinstance(given, (bytes, bytearray, Mapping, io.IOBase)) or not isinstance(given, Iterable):
        raise TypeError(f"{what} is text, a path, or several of these, not {type(given).__name__}")
    return list(given)


def _names(given: NameSource | Iterable[NameSource] | None, options: Options) -> tuple[Names | None, Sequence[Failure]]:
    """Read names, in the order given."""
    if given is None or isinstance(given, Names):
        return given, ()
    read, failures = Names(), []
    for one in _several(given, "names"):
        found, errors = (one, []) if isinstance(one, Names) else several.read_names([one], options)
        read = read | found
        failures += [Failure(spec="names", error=error) for error in errors]
    return read, failures


def from_config(
    config: bytes | bytearray | memoryview, blobs: Iterable[str] | None = None, *, names: Names | None = None
) -> CacheGraph:
    """Make a graph of a bare cache config.

    Parameters
    ----------
    config : bytes
        JSON of ``application/vnd.buildkit.cacheconfig.v0``.
    blobs : iterable of str, optional
        Digests that the manifest lists; without, all of the config's layers.
    names : Names, optional

    Returns
    -------
    CacheGraph

    Raises
    ------
    cachegraph.errors.DecodeError
        No cache config.
    TypeError
        An argument of another type, such as one digest in place of several.

    Examples
    --------
    >>> from_config(b'{"records": [{"inputs": [[{"link": 0}]]}]}').import_error
    'invalid looping record'
    """
    if not isinstance(config, (bytes, bytearray, memoryview)):
        raise TypeError(f"config is the bytes of a cache config, not {type(config).__name__}: read a file with load()")
    if isinstance(blobs, (str, bytes)):
        raise TypeError(f"blobs is a list of digests, not one of them: write [{blobs!r}]")
    return CacheGraph([export_from_config(bytes(config), blobs=blobs)], names)
