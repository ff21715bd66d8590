"""The connection to a Neo4j server: sessions, transactions that are tried again, room on its disk."""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString, TypeVar, cast

from cachegraph import __version__
from cachegraph.core.garbage import collection_paused
from cachegraph.errors import MissingExtraError
from cachegraph.server import space
from cachegraph.server.space import FREE_SPACE, free_bytes
from cachegraph.stores.neo4j.addresses import Auth, check_agent, checked
from cachegraph.stores.neo4j.failures import ServerError, is_race, translated
from cachegraph.text.words import size_text

if TYPE_CHECKING:
    import neo4j

__all__ = ["Connection", "literal"]

T = TypeVar("T")

_RACES = 20
"""How often a transaction is tried again because a node went or came under its hands."""

_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
"""Seconds between two tries: at first, and at most."""

_CONNECT = 15.0
_RETRY = 60.0
"""Seconds that opening a connection, and retrying a transaction, may take: long enough for a server to start again."""


def literal(text: str) -> LiteralString:
    """Vouch for a query's text, which the driver wants to be literal; values are bound, never pasted."""
    return cast("LiteralString", text)  # type: ignore[redundant-cast] # mypy takes it for str, pyright does not


class Connection:
    """A driver and the database that it works in.

    Parameters
    ----------
    uri : str
        One of the six schemes: ``neo4j``, ``bolt``, each plain, with ``+s`` (TLS, certificate checked) or ``+ssc``
        (TLS, any certificate).
    auth : tuple of (str, str), str, or None
        User and password, a bearer token, or nothing.
    database : str, optional
        By default the user's home database.
    home : Path, optional
        Directory of the server, if it is one of the user's own: then its disk can be watched.

    Raises
    ------
    StoreError
        No server there, one that is too old, wrong password, no such database.
    MissingExtraError
        The driver is not installed.
    """

    def __init__(self, uri: str, auth: Auth = None, database: str | None = None, home: Path | None = None) -> None:
        try:
            import neo4j
        except ImportError:
            raise MissingExtraError("Neo4j", "neo4j") from None
        # What the driver logs while it tries again becomes one line of ours; a program that wants it adds a handler.
        logging.getLogger("neo4j").addHandler(_SILENT)
        self.home = home
        self.place = checked(uri)
        self.database = database or None
        credentials = neo4j.bearer_auth(auth) if isinstance(auth, str) else auth
        with self.translated():
            self.driver = neo4j.GraphDatabase.driver(
                uri,
                auth=credentials,
                user_agent=f"cachegraph/{__version__}",
                connection_timeout=_CONNECT,
                connection_acquisition_timeout=2 * _CONNECT,
                max_transaction_retry_time=0.0,  # `patiently` does it: the driver's pauses double without end
                notifications_min_severity="OFF",
                telemetry_disabled=True,
            )
        try:
            with self.translated(), self.session(write=False) as session:
                result = session.run("RETURN 1")
                self.agent = str(result.consume().server.agent)
            check_agent(self.agent, self.place)
        except BaseException:
            self.driver.close()
            raise

    def __repr__(self) -> str:
        """Name the server and the database."""
        return f"<Neo4j {self.place} {self.database or ''}>".replace(" >", ">")

    def close(self) -> None:
        """Close every connection."""
        self.driver.close()

    def session(self, *, write: bool) -> neo4j.Session:
        """Open a session; in one that is not for writing the server refuses to write."""
        import neo4j

        mode = neo4j.WRITE_ACCESS if write else neo4j.READ_ACCESS
        return self.driver.session(database=self.database, default_access_mode=mode)

    def write(self, work: Callable[[neo4j.ManagedTransaction], T]) -> T:
        """Do work in a transaction, again if the server says that another try may help."""
        with self.translated():
            return self.patiently(lambda session: session.execute_write(work), write=True)

    def read(self, text: str, params: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Run a query that only reads and give its rows."""

        def work(tx: neo4j.ManagedTransaction) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in tx.run(literal(text), dict(params or {}))]

        with self.translated(), collection_paused():
            return self.patiently(lambda session: session.execute_read(work), write=False)

    def alter(self, text: str) -> None:
        """Run a statement that creates a part of the schema, unless another load has created it meanwhile."""
        from neo4j.exceptions import ClientError

        def work(tx: neo4j.ManagedTransaction) -> None:
            tx.run(literal(text)).consume()

        with self.translated():
            try:
                self.patiently(lambda session: session.execute_write(work), write=True)
            except ClientError as error:
                # `IF NOT EXISTS` looks before it waits for the lock.
                if not re.fullmatch(r"Neo\.ClientError\.Schema\.\w*AlreadyExists", error.code or ""):
                    raise

    def patiently(self, work: Callable[[neo4j.Session], T], *, write: bool) -> T:
        """Do work, and again while another try may help: for a minute at most, counted from the first failure."""
        from neo4j.exceptions import DriverError, Neo4jError

        races, pause, until = _RACES, _PAUSE, 0.0
        while True:
            try:
                with self.session(write=write) as session:
                    return work(session)
            except (DriverError, Neo4jError) as error:
                if write and races and is_race(error):
                    races -= 1
                    continue
                now = time.monotonic()
                until = until or now + _RETRY
                if not error.is_retryable() or now >= until:
                    raise
            jitter = random.uniform(0.8, 1.2)  # noqa: S311 -- loaders that met each other do not meet again
            time.sleep(min(pause * jitter, max(0.0, until - time.monotonic())))
            pause = min(2 * pause, _LONGEST_PAUSE)

    def check_space(self) -> None:
        """Stop in time: a Neo4j whose disk is full loses its database until it is started again.

        To be called before something is added; what removes may go on.

        Raises
        ------
        ServerError
        """
        if self.home is not None and (free := free_bytes(self.home)) is not None and free < space.RESERVE:
            message = (
                f"{self.place}: disk full: {size_text(free)} left for {self.home}, and {size_text(space.RESERVE)} are"
            )
            raise ServerError(f"{message} kept free so that Neo4j goes on working", hint=FREE_SPACE, answers=True)

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn the driver's errors into ours."""
        with translated(self.place, self.database, self.home):
            yield


_SILENT = logging.NullHandler()
