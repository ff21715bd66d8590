"""What Neo4j's errors mean, in words that tell what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cachegraph.errors import CacheGraphError, StoreError, UsageError
from cachegraph.server.space import FREE_SPACE, ailing, means_full_disk

if TYPE_CHECKING:
    import neo4j

__all__ = ["ServerError", "is_race", "translated"]

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


@contextmanager
def translated(place: str, database: str | None, home: Path | None) -> Iterator[None]:
    """Turn the driver's errors into ours.

    Parameters
    ----------
    place : str
        The server's address.
    database : str or None
    home : pathlib.Path or None
        Its directory, if it is one of the user's own.
    """
    from neo4j.exceptions import ConfigurationError, DriverError, Neo4jError

    try:
        yield
    except CacheGraphError:
        raise
    except Neo4jError as error:
        raise _refused(error, place, database, home) from error
    except (ConfigurationError, ValueError, TypeError) as error:
        raise UsageError(f"{place}: {_line(error)}") from error
    except DriverError as error:
        hint = "start one with `cachegraph neo4j up`, or check the address, the port and NEO4J_URI"
        raise ServerError(f"{place}: no Neo4j answers: {_line(error)}", hint=hint) from error


def _refused(error: neo4j.exceptions.Neo4jError, place: str, database: str | None, home: Path | None) -> StoreError:
    """Say what the server's answer means, by its code."""
    code = (error.code or "").removeprefix("Neo.")
    text = _line(error.message or error)
    stopped = re.fullmatch(_STOPPED, code) and ("critical error" in text or "store after written to log" in text)
    why = ailing(home) if home is not None and stopped else None
    if means_full_disk(f"{text} {why or ''}"):
        said = f"{place}: disk full on the server, its database has stopped"
        return ServerError(said, hint=f"{FREE_SPACE}, then start the server again: docs/ops.md, Disk full")
    if stopped:
        said = f"{place}: the database has stopped after an error of the server"
        if why:
            return ServerError(f"{said}: {why}", hint="mend that, then start the server again")
        hint = "its log says why, most often the disk is full; mend that, then start the server again"
        return ServerError(said, hint=hint)
    for pattern, message, hint in _CODES:
        if re.fullmatch(pattern, code):
            named = f"database {database!r}" if database else "the home database"
            return ServerError(f"{place}: {message.format(database=named)}", hint=hint)
    return StoreError(f"{place}: {text}")


def is_race(error: Exception) -> bool:
    """Tell whether a transaction met another one at the same shared blob; it can be tried again at once."""
    code = (getattr(error, "code", None) or "").removeprefix("Neo.ClientError.")
    return code in ("Statement.EntityNotFound", "Schema.ConstraintValidationFailed")


def _line(error: object) -> str:
    return " ".join(str(error).split())
