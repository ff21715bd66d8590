"""The world that the pages are followed in."""

from __future__ import annotations

from tests.docs.world import stocked, world

__all__ = ["stocked", "world"]
