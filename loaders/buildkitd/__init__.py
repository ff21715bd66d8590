"""A builder's own database: the bbolt file, its keys, the debug address."""
