"""What users write to name an export: specs as buildx reads them, image references."""

from __future__ import annotations

from cachegraph.loaders.specs.entries import CacheEntry, read_cache_entries

__all__ = ["CacheEntry", "read_cache_entries"]
