"""Why a step misses its caches, from the source: what the cache has beside it, and the commit that it was made for."""
