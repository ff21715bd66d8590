"""What is known of a server: how to reach it, and what a home directory remembers of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cachegraph.errors import StoreError
from cachegraph.server.places import needs_server_extra, write_private, writing
from cachegraph.server.space import means_full_disk

if TYPE_CHECKING:
    import psutil

__all__ = ["HOST", "Home", "Login", "Running", "State", "Status"]

_SPARE = " " * 16  # so that another process id fits into the same room

HOST = "127.0.0.1"
"""The only address that a server listens on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """How to reach a server.

    Attributes
    ----------
    uri : str
        Such as ``bolt://127.0.0.1:7687``.
    username : str
    password : str
        Never shown by ``repr``.
    """

    uri: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running(Login):
    """A server that `cachegraph.server.up` started.

    Attributes
    ----------
    browser : str or None
        Address of Neo4j Browser, if it is served.
    pid : int
    version : str
        Of Neo4j.
    home : Path
        Directory of its data, logs, settings and password.
    """

    browser: str | None
    pid: int
    version: str
    home: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What there is, running or not.

    Attributes
    ----------
    home, cache : Path
        Directories of the data and of the downloaded jars; they may not exist yet.
    version : str or None
        Of the Neo4j that the data was last opened with.
    running : Running or None
    answers : bool or None
        Whether its database answers; None if it is not running.
    ailment : str or None
        Why not, as far as it or its log says.
    crashed : bool
        The server ended without being told to.
    data_bytes : int
        Size of the home directory.
    free_bytes : int or None
        Room on its disk; None if nobody can tell.
    memory_bytes : int or None
        Resident memory of the server, if it is running.
    """

    home: Path
    cache: Path
    version: str | None
    running: Running | None
    answers: bool | None
    ailment: str | None
    crashed: bool
    data_bytes: int
    free_bytes: int | None
    memory_bytes: int | None


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What a home remembers between two commands; `pid` is None when the server was stopped."""

    version: str
    bolt_port: int
    http_port: int | None
    settings: dict[str, str]
    pid: int | None
    ready: bool


class Home:
    """A server's directory and the files in it."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()
        self.console = self.path / "logs" / "console.log"
        self.password = self.path / "password"
        self.conf = self.path / "conf"
        self.arguments = self.path / "run" / "server.args"
        self._state = self.path / "state.json"

    def create(self) -> None:
        """Make the directories, closed to other users."""
        with writing(self.path):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for directory in (self.console.parent, self.conf, self.arguments.parent):
                directory.mkdir(exist_ok=True)

    def has_data(self) -> bool:
        """Tell whether a server has written its databases here."""
        return (self.path / "data" / "databases" / "system").exists()

    def read(self) -> State | None:
        """Give what is remembered, or None if no server was ever started here."""
        try:
            return msgspec.json.decode(self._state.read_bytes(), type=State)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, msgspec.MsgspecError) as error:
            raise StoreError(f"{self._state}: cannot be read: {error}", hint="delete it") from error

    def write(self, state: State) -> None:
        """Remember, whole or not at all; on a full disk in the room of what was remembered before."""
        text = msgspec.json.encode(state).decode() + _SPARE
        try:
            write_private(self._state, text)
        except StoreError as error:
            if not means_full_disk(str(error)) or not _overwrite(self._state, text.rstrip()):
                raise

    def process(self, state: State | None) -> psutil.Process | None:
        """Find the server's process, alive; never one that was given the same pid later."""
        with needs_server_extra():
            import psutil
        if state is None or state.pid is None:
            return None
        try:
            process = psutil.Process(state.pid)
            return process if f"@{self.arguments}" in process.cmdline() else None
        except psutil.Error:
            return None

    def running(self, state: State) -> Running:
        """Describe the server of this home, which must be running."""
        assert state.pid is not None
        with writing(self.password):
            password = self.password.read_text(encoding="utf-8").strip()
        return Running(
            uri=f"bolt://{HOST}:{state.bolt_port}",
            username="neo4j",
            password=password,
            browser=f"http://{HOST}:{state.http_port}/browser/" if state.http_port else None,
            pid=state.pid,
            version=state.version,
            home=self.path,
        )

    def log(self) -> str:
        """Give what the server printed since its last start."""
        try:
            return self.console.read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            return ""


def _overwrite(path: Path, text: str) -> bool:
    """Write over a file that is long enough, with blanks behind: that needs no room."""
    data = text.encode()
    try:
        size = path.stat().st_size
        if len(data) > size:
            return False
        with path.open("r+b") as file:
            file.write(data.ljust(size))
    except OSError:
        return False
    path.with_name(f"{path.name}.partial").unlink(missing_ok=True)
    return True
