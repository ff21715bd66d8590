"""What a build asks for: LLB operations, their cache keys, provenance."""
