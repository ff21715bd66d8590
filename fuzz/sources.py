"""Where an attack's decisions come from: bytes that are random, or that atheris mutates by what they reach."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

__all__ = ["Choices"]

T = TypeVar("T")


class Choices:
    """A stream of decisions that bytes make, and random numbers where they end.

    Parameters
    ----------
    data : bytes

    Attributes
    ----------
    calm : bool
        Whether the document is to be a sound one, its values apart: else most would be refused at the first look.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._random = random.Random(data)
        self.calm = data[-1:] < b"\xa0"

    def number(self, low: int, high: int) -> int:
        """Decide on a number in a range, both ends included."""
        if self._at < len(self._data) and high - low < 65_536:
            width = 1 if high - low < 256 else 2
            value = int.from_bytes(self._data[self._at : self._at + width], "big")
            self._at += width
            return low + value % (high - low + 1)
        return self._random.randint(low, high)

    def one(self, items: Sequence[T]) -> T:
        """Decide on one of several."""
        return items[self.number(0, len(items) - 1)]

    def sometimes(self, in_a_hundred: int) -> bool:
        """Decide whether something that happens so often happens."""
        return self.number(0, 99) < in_a_hundred

    def raw(self, most: int) -> bytes:
        """Decide on some bytes."""
        return bytes(self.number(0, 255) for _ in range(self.number(0, most)))

    def rest(self) -> bytes:
        """Give the bytes that decided nothing yet."""
        found, self._at = self._data[self._at :], len(self._data)
        return found
