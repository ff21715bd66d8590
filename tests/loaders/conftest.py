"""What every test of a loader starts with."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _fresh(fresh_clients: None) -> None:
    """Keep the developer's own logins out, and what earlier tests learned."""
