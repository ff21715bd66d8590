"""A registry that holds one image, whose tag can be moved: what the builders of the nights pull their base from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

__all__ = ["serving"]

_PATH = re.compile(r"/v2/library/os/(?:manifests|blobs)/(sha256:[0-9a-f]{64}|3)$")


@contextmanager
def serving(layout: Path) -> Iterator[str]:
    """Serve an OCI layout of one image as ``library/os:3`` and give the address, for as long as the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = _PATH.match(self.path.partition("?")[0])
            manifest = json.loads((layout / "index.json").read_bytes())["manifests"][0]
            digest = manifest["digest"] if found and found[1] == "3" else found[1] if found else ""
            blob = layout / "blobs" / digest.replace(":", "/")
            if not digest or not blob.is_file():
                self.send_error(404)
                return
            content = blob.read_bytes()
            self.send_response(200)
            kind = manifest["mediaType"] if digest == manifest["digest"] else "application/octet-stream"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Docker-Content-Digest", digest)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
