"""Attacks on every reader: generators that know the formats, targets that must not break, a command that runs them."""
