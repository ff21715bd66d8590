"""What was hashed to get a digest, where that is known."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Plaintext"]


@dataclass(frozen=True, slots=True)
class Plaintext:
    """What was hashed: its type, and the pieces in which it was written."""

    type: str
    frames: tuple[bytes, ...]

    @property
    def text(self) -> bytes:
        """The pieces joined."""
        return b"".join(self.frames)
