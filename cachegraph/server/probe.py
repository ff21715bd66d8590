"""Asking a server's database for a sign of life."""

from __future__ import annotations

import logging

from cachegraph.server.home import Login
from cachegraph.server.places import needs_server_extra

__all__ = ["ask"]

_WAIT = 30.0
"""Seconds that an answer may take; the first one of a server makes it compile."""


def ask(login: Login) -> str | None:
    """Ask the database for an answer that it must read its store for.

    Returns
    -------
    str or None
        Why it does not answer, in a line; None if it does.
    """
    with needs_server_extra():
        import neo4j
    from neo4j.exceptions import DriverError, Neo4jError

    logging.getLogger("neo4j").addHandler(_SILENT)
    auth = (login.username, login.password)
    try:
        with (
            neo4j.GraphDatabase.driver(
                login.uri, auth=auth, connection_timeout=_WAIT, connection_acquisition_timeout=_WAIT
            ) as driver,
            driver.session() as session,
        ):
            session.run(neo4j.Query("CALL db.labels() YIELD label RETURN count(label)", timeout=_WAIT)).consume()
    except (DriverError, Neo4jError) as error:
        message = getattr(error, "message", None) or str(error)
        return " ".join(str(message).split())
    return None


_SILENT = logging.NullHandler()
