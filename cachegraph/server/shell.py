"""Running Cypher with cypher-shell, as ops people do."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from cachegraph.core.progress import Report, quiet
from cachegraph.server.home import Login
from cachegraph.server.jars import fetch
from cachegraph.server.java import command, run

__all__ = ["Value", "cypher_shell"]

Value = None | bool | int | float | str | Sequence["Value"] | Mapping[str, "Value"]
"""What a parameter may be."""

_LOCK = "cypher-shell-5.26.30"


def cypher_shell(
    login: Login,
    statements: str | Path,
    *,
    params: Mapping[str, Value] | None = None,
    report: Report = quiet,
    timeout: float = 120.0,
) -> str:
    """Run Cypher in cypher-shell and give what it prints, a header line and then a line for each row.

    Parameters
    ----------
    login : Login
        The server; a `Running` is one.
    statements : str or Path
        The Cypher, each statement ended by a semicolon, or a file of it.
    params : mapping of str to value, optional
        Parameters of the statements.
    report : Report
        Told of downloads (57 MB, the first time).
    timeout : float
        Seconds that all of it may take.

    Raises
    ------
    cachegraph.errors.StoreError
        The server refused, or a download failed.
    """
    jars = fetch(_LOCK, report)
    words = ["--address", login.uri, "--format", "plain", "--fail-fast", "--non-interactive"]
    for name, value in (params or {}).items():
        words += ["--param", f"{{{_quoted(name)}: {_literal(value)}}}"]
    text = statements.read_text(encoding="utf-8") if isinstance(statements, Path) else statements
    secrets = {"NEO4J_USERNAME": login.username, "NEO4J_PASSWORD": login.password}
    with tempfile.TemporaryDirectory(prefix="cachegraph-") as directory:
        java = command(Path(directory) / "args", jars, "org.neo4j.shell.Main", *words)
        return run("cypher-shell", java, secrets, given=text, timeout=timeout)


def _literal(value: Value) -> str:
    """Write a value as a Cypher literal."""
    match value:
        case Mapping():
            return "{" + ", ".join(f"{_quoted(key)}: {_literal(each)}" for key, each in value.items()) + "}"
        case str() | bool() | int() | float() | None:
            return json.dumps(value, ensure_ascii=False)
        case _:
            return "[" + ", ".join(map(_literal, value)) + "]"


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
