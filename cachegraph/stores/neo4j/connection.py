"""The connection to a Neo4j server, and its errors in words that tell what to do."""

from __future__ import annotations

import logging
import os
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString, TypeVar, cast
from urllib.parse import urlsplit

from cachegraph import __version__
from cachegraph.core.garbage import collection_paused
from cachegraph.errors import CacheGraphError, MissingExtraError, StoreError, UsageError
from cachegraph.server import space
from cachegraph.server.space import FREE_SPACE, ailing, free_bytes, means_full_disk
from cachegraph.text.words import size_text

if TYPE_CHECKING:
    import neo4j

    from cachegraph.server import Running

__all__ = ["OLDEST", "Auth", "Connection", "ServerError", "check_agent", "environment", "literal"]

T = TypeVar("T")

Auth = tuple[str, str] | str | None
"""User and password, a bearer token, or nothing."""

OLDEST = (5, 26)
"""The oldest version of Neo4j that is supported: the long-term support release."""

SCHEMES = ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc")

_RACES = 20
"""How often a transaction is tried again because a node went or came under its hands."""

_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
"""Seconds between two tries: at first, and at most."""

_CONNECT = 15.0
_RETRY = 60.0
"""Seconds that opening a connection, and retrying a transaction, may take: long enough for a server to start again."""


class ServerError(StoreError):
    """The server as a whole cannot be used: it is not there, or refuses this user or database.

    Attributes
    ----------
    answers : bool
        Whether it can still be asked for small things: its disk is only about to be full.
    """

    def __init__(self, message: str, *, hint: str | None = None, answers: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.answers = answers


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
        self.place = _checked(uri)
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
                if write and races and _is_race(error):
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
        from neo4j.exceptions import ConfigurationError, DriverError, Neo4jError

        try:
            yield
        except CacheGraphError:
            raise
        except Neo4jError as error:
            raise self._refused(error) from error
        except (ConfigurationError, ValueError, TypeError) as error:
            raise UsageError(f"{self.place}: {_line(error)}") from error
        except DriverError as error:
            hint = "start one with `cachegraph neo4j up`, or check the address, the port and NEO4J_URI"
            raise ServerError(f"{self.place}: no Neo4j answers: {_line(error)}", hint=hint) from error

    def _refused(self, error: neo4j.exceptions.Neo4jError) -> StoreError:
        """Say what the server's answer means, by its code."""
        code = (error.code or "").removeprefix("Neo.")
        text = _line(error.message or error)
        stopped = re.fullmatch(_STOPPED, code) and ("critical error" in text or "store after written to log" in text)
        why = ailing(self.home) if self.home is not None and stopped else None
        if means_full_disk(f"{text} {why or ''}"):
            said = f"{self.place}: disk full on the server, its database has stopped"
            return ServerError(said, hint=f"{FREE_SPACE}, then start the server again: docs/ops.md, Disk full")
        if stopped:
            said = f"{self.place}: the database has stopped after an error of the server"
            if why:
                return ServerError(f"{said}: {why}", hint="mend that, then start the server again")
            hint = "its log says why, most often the disk is full; mend that, then start the server again"
            return ServerError(said, hint=hint)
        for pattern, message, hint in _CODES:
            if re.fullmatch(pattern, code):
                database = f"database {self.database!r}" if self.database else "the home database"
                return ServerError(f"{self.place}: {message.format(database=database)}", hint=hint)
        return StoreError(f"{self.place}: {text}")


def _is_race(error: Exception) -> bool:
    """Tell whether a transaction met another one at the same shared blob; it can be tried again at once."""
    code = (getattr(error, "code", None) or "").removeprefix("Neo.ClientError.")
    return code in ("Statement.EntityNotFound", "Schema.ConstraintValidationFailed")


_SILENT = logging.NullHandler()

_STOPPED = r"(Database|Transient)Error\..*"

_CODES = (
    (
        r"ClientError\.Security\.(Unauthorized|TokenExpired|AuthorizationExpired)",
        "wrong user, password or token",
        "check NEO4J_USERNAME and NEO4J_PASSWORD",
    ),
    (
        r"ClientError\.Security\.AuthenticationRateLimit",
        "too many wrong passwords in a row, the server wants a pause",
        "wait five seconds and check NEO4J_USERNAME and NEO4J_PASSWORD",
    ),
    (
        r"ClientError\.Security\.CredentialsExpired",
        "the password must be changed before first use",
        "log in with cypher-shell once, or `neo4j-admin dbms set-initial-password`",
    ),
    (r"ClientError\.Database\.DatabaseNotFound", "there is no {database}", "check NEO4J_DATABASE"),
    (
        r"(Transient|Client)Error\.\w+\.DatabaseUnavailable",
        "{database} is not available",
        "wait until it is online: SHOW DATABASES",
    ),
    (
        r"ClientError\.Statement\.AccessMode",
        "the query writes, and this is for reading",
        "say that it may: --write, or write=True",
    ),
    (
        r"ClientError\.(Security\.Forbidden|General\.(ForbiddenOnReadOnlyDatabase|WriteOnReadOnlyAccessDatabase))"
        r"|ClientError\.Cluster\.NotALeader",
        "missing rights: the user may not do this in {database}, or it is read-only",
        "loading needs a user who may write and create constraints, such as one with the role publisher or architect",
    ),
)
"""What a status code of Neo4j means: pattern, message, hint."""


def check_agent(agent: str, place: str) -> None:
    """Refuse a server that is too old.

    Parameters
    ----------
    agent : str
        What the server calls itself, such as ``Neo4j/5.26.30``.
    place : str
        Its address.

    Raises
    ------
    StoreError
    """
    found = re.match(r"Neo4j/(\d+)\.(\d+)", agent)
    if not found or (int(found[1]), int(found[2])) < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise StoreError(f"{place}: the server is {agent}, and Neo4j {wanted} or newer is needed", hint="upgrade it")


def _checked(uri: str) -> str:
    """Give the address without anything secret; refuse what is none."""
    try:
        parts = urlsplit(uri)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        place = f"{parts.scheme}://{host or ''}" + (f":{parts.port}" if parts.port else "")
    except ValueError:
        raise UsageError("the Neo4j URI is not a URI", hint="such as neo4j://localhost:7687") from None
    if parts.scheme not in SCHEMES or not parts.hostname:
        allowed = ", ".join(f"{scheme}://" for scheme in SCHEMES)
        raise UsageError(f"{place}: no Neo4j URI, which starts with one of {allowed}", hint="neo4j://localhost:7687")
    if parts.username or parts.password:
        raise UsageError(f"{place}: a URI must not hold credentials", hint="use NEO4J_USERNAME and NEO4J_PASSWORD")
    return place


def _line(error: object) -> str:
    return " ".join(str(error).split())


def environment(uri: str | None, auth: Auth, database: str | None) -> tuple[str, Auth, str | None, Path | None]:
    """Fill in what was not given: from the environment, else from the user's own running server.

    Returns
    -------
    tuple of (str, auth, str or None, Path or None)
        Address, credentials, database, and the directory of the server if it is the user's own.

    Raises
    ------
    StoreError
        There is neither.
    """
    database = database or os.environ.get("NEO4J_DATABASE")
    if auth is None and (password := os.environ.get("NEO4J_PASSWORD")) is not None:
        auth = (os.environ.get("NEO4J_USERNAME") or "neo4j", password)
    if found := uri or os.environ.get("NEO4J_URI"):
        return found, auth, database, _home_of(found)
    server = _own()
    if server is None:
        raise StoreError("no Neo4j is known", hint="set NEO4J_URI, or start one with `cachegraph neo4j up`")
    return server.uri, (server.username, server.password), database, server.home


def _home_of(uri: str) -> Path | None:
    """Give the directory of a server that is the user's own after all."""
    if not re.search(r"//(localhost|127\.0\.0\.1)\b", uri):
        return None
    own = _own()
    return own.home if own and own.uri.rpartition(":")[2] == uri.rpartition(":")[2] else None


def _own() -> Running | None:
    """Find the server that ``cachegraph neo4j up`` started, if it runs."""
    from cachegraph.server import running

    try:
        return running()
    except MissingExtraError:
        return None
