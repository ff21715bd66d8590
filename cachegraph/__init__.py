"""See what a BuildKit cache export holds, why a build missed, and what can be deleted."""
