"""Pictures: the record graph, merges, bytes."""
