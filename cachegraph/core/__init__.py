"""The reading of cache graphs: bytes in, columns and answers out. No I/O."""
