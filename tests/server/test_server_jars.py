"""Fetching jars: the cache, the checks, and a mirror that misbehaves, all real."""

from __future__ import annotations

import functools
import gc
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cachegraph.core.progress import quiet
from cachegraph.errors import StoreError
from cachegraph.server.jars import fetch, read_lock
from cachegraph.server.places import cache_home
from docs.tools.relock import ROOTS

# jgo leaves the response of a failed download open.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

LOCK = "neo4j-browser-5.24.0"
NAME = "neo4j-browser-5.24.0.jar"


@dataclass
class Mirror:
    """A Maven repository on loopback, made of the user's own jar cache."""

    address: str
    asked: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class _Server(ThreadingHTTPServer):
    mirror: Mirror


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        if self.path.endswith(".jar"):
            self.server.mirror.asked.append(self.path.rpartition("/")[2])
            match self.server.mirror.faults.pop() if self.server.mirror.faults else None:
                case "cut":  # The connection breaks off in the middle.
                    self.send_response(200)
                    self.send_header("Content-Length", "1000")
                    self.end_headers()
                    self.wfile.write(b"PK")
                    return
                case "wrong":
                    self.send_response(200)
                    self.send_header("Content-Length", "2")
                    self.end_headers()
                    self.wfile.write(b"PK")
                    return
                case "refused":
                    self.send_error(403)
                    return
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class names it so
        pass


@pytest.fixture(scope="session")
def full_cache(neo4j_jars: None) -> Path:
    """The user's own cache, with the jars that these tests read."""
    return cache_home()


@pytest.fixture
def mirror(full_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A mirror that jgo's settings name, and an empty cache to fill from it."""
    server = _Server(("127.0.0.1", 0), functools.partial(_Handler, directory=str(full_cache)))
    server.mirror = mirror = Mirror(f"http://user:a-secret@127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    settings = tmp_path / "jgo.conf"
    settings.write_text(f"[repositories]\ncentral = {mirror.address}\n")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(settings))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield mirror
    server.shutdown()
    thread.join()
    server.server_close()
    gc.collect()  # Here, where the warning about jgo's sockets is ignored.


@pytest.fixture
def told() -> list[tuple[str, int, int | None]]:
    return []


def test_every_lock_file_names_each_jar_once() -> None:
    for name, roots in ROOTS.items():
        jars = read_lock(name)
        found = {f"{jar.group}:{jar.artifact}:{jar.version}" for jar in jars}
        assert found.issuperset(roots)
        assert len({jar.path for jar in jars}) == len(jars)
        assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in jars)
    assert {name: len(read_lock(name)) for name in ROOTS} == {
        "neo4j-5.26.30": 216,
        "neo4j-2026.08.1": 237,
        "cypher-shell-5.26.30": 59,
        "neo4j-browser-5.24.0": 1,
    }


def test_jars_come_from_the_mirror_once(mirror: Mirror, told: list[tuple[str, int, int | None]]) -> None:
    (jar,) = fetch(LOCK, lambda *words: told.append(words))
    assert jar == cache_home() / "org/neo4j/client/neo4j-browser/5.24.0" / NAME
    assert told == [(f"downloading {LOCK}", 1, 1)]
    assert fetch(LOCK, lambda *words: told.append(words)) == (jar,)
    assert mirror.asked == [NAME]
    assert len(told) == 1
    assert sorted(path.name for path in cache_home().iterdir()) == ["lock", "org"]


def test_a_jar_that_is_cut_short_in_the_cache_is_fetched_again(
    mirror: Mirror, told: list[tuple[str, int, int | None]]
) -> None:
    (jar,) = fetch(LOCK, quiet)
    whole = jar.read_bytes()
    jar.write_bytes(whole[:1000])
    assert fetch(LOCK, lambda *words: told.append(words)) == (jar,)
    assert jar.read_bytes() == whole
    assert told == [(f"{NAME} in the cache is broken, fetching it again", 0, 1), (f"downloading {LOCK}", 1, 1)]


def test_a_download_that_breaks_is_tried_again(mirror: Mirror, told: list[tuple[str, int, int | None]]) -> None:
    mirror.faults += ["wrong", "cut"]
    fetch(LOCK, lambda *words: told.append(words))
    assert told == [
        (f"{NAME} did not arrive: the connection failed or broke off, fetching it again", 0, 1),
        (f"{NAME} arrived broken: its SHA-256 is not the expected one, fetching it again", 0, 1),
        (f"downloading {LOCK}", 1, 1),
    ]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("cut", "did not arrive: the connection failed or broke off"),
        ("wrong", "arrived broken: its SHA-256 is not the expected one"),
        ("refused", "is not there, or was refused"),
    ],
)
def test_a_download_that_stays_broken_is_told_without_the_password(mirror: Mirror, fault: str, reason: str) -> None:
    mirror.faults += [fault] * 3
    with pytest.raises(StoreError) as failed:
        fetch(LOCK, quiet)
    assert str(failed.value) == (
        f"org.neo4j.client:neo4j-browser:5.24.0 from 127.0.0.1: {NAME} {reason} (3 attempts)"
        " (try again, or name a mirror in jgo's settings)"
    )
    assert list(cache_home().rglob("*.jar")) == []
    cause: BaseException | None = failed.value
    while cause := cause.__cause__ if cause else None:
        assert "a-secret" not in str(cause)


def test_settings_of_jgo_that_cannot_be_understood_are_told(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "jgo.conf").write_text("[repositories]\ncentral = https://user:a%40secret@localhost\n")
    with pytest.raises(StoreError) as failed:
        fetch(LOCK, quiet)
    assert str(failed.value) == "jgo's settings file cannot be understood (write % as %% in it)"


def test_a_disk_that_takes_no_more_is_told(mirror: Mirror) -> None:
    # A limit on file size stands for a full disk: the system refuses the same write.
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
        "from cachegraph.errors import StoreError\n"
        "from cachegraph.core.progress import quiet\n"
        "from cachegraph.server.jars import fetch\n"
        f"try: fetch({LOCK!r}, quiet)\n"
        "except StoreError as error: print(error)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == f"{cache_home()}: cannot be written: File too large\n"
    assert [path.name for path in cache_home().iterdir()] == ["lock"]


def test_a_cache_that_cannot_be_made_is_told(mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    with pytest.raises(StoreError) as failed:
        fetch(LOCK, quiet)
    assert str(failed.value) == f"{cache_home()}: cannot be written: Not a directory"
