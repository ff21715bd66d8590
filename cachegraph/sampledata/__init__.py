"""Sample exports that come with the package: real caches, and builds to ask about, for whoever has none at hand."""
