"""Object stores on loopback: moto for S3, Azurite for Azure Blob, and a server that misbehaves."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "data"
BUSYBOX = "sha256:7562242eb586238074602c0314a2d5e4080cbcd50a94d5b32f8dd1ba2c956004"
BUSYBOX_SIZE = 1_079_936

Serve = Callable[[Callable[[socket.socket], None]], str]


def corpus(kind: str) -> dict[str, bytes]:
    """Return the objects that BuildKit wrote, by key; a stand-in of the same size for the one large layer."""
    objects = {
        "blobs/" + path.name.replace("-", ":", 1): path.read_bytes() for path in (DATA / kind / "blobs").iterdir()
    }
    objects["blobs/" + BUSYBOX] = bytes(BUSYBOX_SIZE)
    objects["manifests/web"] = (DATA / kind / "manifests" / "web").read_bytes()
    return objects


@pytest.fixture(scope="session", name="corpus")
def corpus_fixture() -> Callable[[str], dict[str, bytes]]:
    return corpus


@pytest.fixture(scope="session")
def azurite_program() -> Path:
    """Install Azurite once for each lock file, into the user's cache folder."""
    source = DATA.parent / "azurite"
    lock = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()[:12]
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cachegraph" / f"azurite-{lock}"
    program = home / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
    if not program.exists():
        if shutil.which("npm") is None:
            subprocess.run(["apt-get", "update"], check=True, capture_output=True)
            subprocess.run(
                ["apt-get", "install", "-y", "--no-install-recommends", "npm"], check=True, capture_output=True
            )
        home.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, home)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=home, check=True, capture_output=True, timeout=240)
    return program


@pytest.fixture(scope="session")
def start_azurite(azurite_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Start Azurite on a free port, with more arguments if wanted; return its URL."""
    running: list[subprocess.Popen[str]] = []

    def start(*more: str) -> str:
        folder = str(tmp_path_factory.mktemp("azurite"))
        command = ["node", str(azurite_program), "--blobHost", "127.0.0.1", "--blobPort", "0", "--location", folder]
        command += ["--skipApiVersionCheck", "--disableTelemetry", "--silent", *more]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        running.append(process)
        said = ""
        for line in process.stdout or ():
            said += line
            if found := re.search(r"successfully listens on (\S+)", line):
                return found.group(1)
        raise AssertionError(f"Azurite did not start: {said}")

    yield start
    for process in running:
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers that do to each connection what a function says; return their URLs."""
    stop = threading.Event()
    threads: list[threading.Thread] = []
    listeners: list[socket.socket] = []

    def start(answer: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(0.1)
        listeners.append(listener)

        def accept() -> None:
            while not stop.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                with closing(connection):
                    connection.settimeout(5)
                    connection.recv(65536)
                    answer(connection)

        threads.append(threading.Thread(target=accept))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    stop.set()
    for thread in threads:
        thread.join()
    for listener in listeners:
        listener.close()


@pytest.fixture
def refused() -> str:
    """Return a URL where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"
