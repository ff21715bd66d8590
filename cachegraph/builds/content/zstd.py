"""zstd, which Python has from 3.14 on, and a package of the extra ``zstd`` before."""

from __future__ import annotations

import io
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["open_zstd", "zstd_module"]


def zstd_module() -> ModuleType | None:
    """Give the module, whose parts have the same names in both; None where neither is there."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return import_module(name)
        except ImportError:
            continue
    return None


def open_zstd(opened: BinaryIO) -> BinaryIO | None:
    """Give a reader of what a file unpacks to; None where nothing here reads zstd.

    Parameters
    ----------
    opened : binary file
        What is damaged raises an ``OSError``, as gzip does.
    """
    module = zstd_module()
    return None if module is None else io.BufferedReader(_Unpacked(module, opened))


class _Unpacked(io.RawIOBase):
    """What a file unpacks to."""

    def __init__(self, module: ModuleType, opened: BinaryIO) -> None:
        self._inner = module.ZstdFile(opened)
        self._damaged = module.ZstdError

    def readable(self) -> bool:
        """Tell that it is for reading."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be gone back in, by beginning again."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in what is unpacked."""
        try:
            place: int = self._inner.seek(offset, whence)
        except self._damaged as error:
            raise OSError(f"damaged zstd: {error}") from error
        return place

    def readinto(self, into: WriteableBuffer) -> int:
        """Read the next bytes; zstd's own error is of no kind that others know."""
        try:
            count: int = self._inner.readinto(into)
        except self._damaged as error:
            raise OSError(f"damaged zstd: {error}") from error
        return count
