"""The settings: files that name caches, and where in them each name stands."""
