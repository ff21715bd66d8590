"""The questions: one module each, listed in the catalogue."""
