"""A server with the files and repositories that the real builds took from one."""

from __future__ import annotations

import base64
import functools
import http.server
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

Json = Mapping[str, Any]
Serve = Callable[[Json], str]

_WHO = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (
    ("NAME", "a"), ("EMAIL", "a@example.com"), ("DATE", "2024-01-01T00:00:00Z"),
)}  # fmt: skip


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files, and repositories by git's own CGI program."""

    def do_GET(self) -> None:
        if self.path.startswith("/git/"):
            self._git()
        else:
            super().do_GET()

    def do_POST(self) -> None:
        self._git()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has
        """Say nothing."""

    def _git(self) -> None:
        path, _, query = self.path.partition("?")
        asked = {
            "GIT_PROJECT_ROOT": self.directory,
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        done = subprocess.run(["git", "http-backend"], input=body, env=os.environ | asked, capture_output=True)
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


@pytest.fixture
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Serve what a case takes from a server; gives the server's address."""
    root = tmp_path_factory.mktemp("www")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Handler, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()

    def put(case: Json) -> str:
        for path, file in (case.get("www") or {}).items():
            _put_file(case, path, file, root)
        for name, repository in (case.get("git") or {}).items():
            _put_repository(case, name, repository, root, tmp_path_factory.mktemp("work"))
        return f"127.0.0.1:{server.server_port}"

    yield put
    server.shutdown()
    thread.join()
    server.server_close()


def _bytes(entry: Json) -> bytes:
    return entry["text"].encode() if "text" in entry else base64.b64decode(entry["base64"])


def _put_file(case: Json, path: str, file: Json, root: Path) -> None:
    (entry,) = (entry for entry in case["source"] if entry["path"] == f"www/{path}")
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(_bytes(entry))
    os.utime(target, (file["last_modified"], file["last_modified"]))


def _put_repository(case: Json, name: str, repository: Json, root: Path, work: Path) -> None:
    def git(*arguments: str) -> str:
        environment = os.environ | _WHO | {"GIT_CONFIG_GLOBAL": os.devnull}
        done = subprocess.run(
            ["git", *arguments], cwd=work, env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    git("init", "-q", "-b", repository["branch"])
    for number, commit in enumerate(repository["commits"]):
        for entry in case["source"]:
            path = entry["path"].removeprefix(f"git/{name}/{number}/")
            if path != entry["path"] and entry["type"] == "file":
                (work / path).parent.mkdir(parents=True, exist_ok=True)
                (work / path).write_bytes(_bytes(entry))
                (work / path).chmod(int(entry["mode"], 8))
        git("add", "-A")
        git("commit", "-q", "--allow-empty", "-m", str(number))
        assert git("rev-parse", "HEAD") == commit["commit"]
        if commit["tag"]:
            git("tag", *(("-a", "-m", commit["tag"]) if commit["annotated"] else ()), commit["tag"])
    bare = root / "git" / f"{name}.git"
    shutil.rmtree(bare, ignore_errors=True)
    git("clone", "-q", "--bare", str(work), str(bare))
