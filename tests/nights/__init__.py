"""How `tests/data/nights` was made: thirty nightly builds by a real buildkitd."""
