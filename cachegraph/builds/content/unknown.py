"""What cannot be known before a build, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Because", "Unknown"]

Because = Literal["run", "image", "remote", "unreadable", "budget", "unpack", "refused", "random"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A tree or a digest that cannot be known.

    Parameters
    ----------
    because : str
        ``run``: a step has to run first. ``image``: an image's files were not read. ``remote``: git or http could not
        be asked. ``unreadable``: a file or folder of the context. ``budget``: a limit of bytes, items or seconds.
        ``unpack``: an archive that cannot be unpacked here. ``refused``: BuildKit would fail here, as ``reason`` says.
        ``random``: BuildKit makes a new key for it each time.
    reason : str
        One sentence that names the place, and what would make it known.
    """

    because: Because
    reason: str
