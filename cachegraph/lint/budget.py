"""How much text a file may become once its variables are filled in."""

from __future__ import annotations

from cachegraph.loaders.limits import Limits, over_limit

__all__ = ["ExpansionBudget"]


class ExpansionBudget:
    """Counts the text that variables are filled in with: ten that hold ten of the next each make gigabytes soon.

    Parameters
    ----------
    file : str
    limits : Limits
    """

    def __init__(self, file: str, limits: Limits) -> None:
        self._file = file
        self._allowed = limits.expanded_bytes
        self._left = limits.expanded_bytes

    def renew(self) -> None:
        """Begin again: for a file that is read again in another place."""
        self._left = self._allowed

    def spent(self, text: str) -> str:
        """Count a text, and give it back.

        Raises
        ------
        cachegraph.errors.DecodeError
            It is more than was left.
        """
        self.count(len(text))
        return text

    def count(self, size: int) -> None:
        """Count characters, or entries that were put in.

        Raises
        ------
        cachegraph.errors.DecodeError
            They are more than were left.
        """
        self._left -= size
        if self._left < 0:
            raise over_limit(self._file, self._allowed, "bytes once its variables are filled in", "expanded_bytes")
