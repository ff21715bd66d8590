"""What digests stand for: plaintexts, provenance, and the names made of them."""
