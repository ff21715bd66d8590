"""The explorer on loopback: pages and a JSON API over exports, for what is too large for a file."""
