"""What it takes to load 200 refs from a registry: ``python benchmarks/registry_load.py``.

A real registry (Debian's ``docker-registry``) on loopback, which shares the processors with what is measured. With
``--delay MS`` every request is put off, as by a network. Each case is a process of its own, the best of
three. Waiting is the share of the time in which the process computes nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import urllib3

from cachegraph.loaders.base import Options
from cachegraph.loaders.catalogue import load, load_each
from cachegraph.loaders.http.client import Answer, Http
from tests.servers.registry import push_layout, running_registry

ROOT = Path(__file__).parent.parent
LAYOUT = ROOT / "tests" / "data" / "layouts" / "web-max"
BUSYBOX = "7562242eb586238074602c0314a2d5e4080cbcd50a94d5b32f8dd1ba2c956004"
TAGS = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=float, default=0.0, help="milliseconds by which each request is put off")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument("--registry", help=argparse.SUPPRESS)
    parser.add_argument("--concurrency", type=int, default=8, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.case:
        print(json.dumps(measure(asked.registry, asked.case, asked.concurrency, asked.delay / 1000)))
        return
    print(f"{TAGS} tags of one export, requests put off by {asked.delay:g} ms")
    print("| case | at once | seconds | refs/s | requests | requests/s | waiting | peak memory |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    with filled_registry() as registry:
        for case in ("200 specs", "all tags", "200 specs with probe"):
            for concurrency in (8,) if "probe" in case else (1, 8, 32):
                print(row(registry, case, concurrency, asked.delay))


@contextmanager
def filled_registry() -> Iterator[str]:
    """Run a registry that has the layout under all tags."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        layout = folder / "layout"
        subprocess.run(["cp", "-r", str(LAYOUT), str(layout)], check=True)
        whole = LAYOUT.parent / "scratch-file-inline" / "blobs" / "sha256" / BUSYBOX
        (layout / "blobs" / "sha256" / BUSYBOX).write_bytes(whole.read_bytes())
        with running_registry(folder / "storage", folder / "log", folder, "") as registry:
            push_layout(layout, registry, "bench/app:t0")
            descriptor = json.loads((layout / "index.json").read_bytes())["manifests"][0]
            content = (layout / "blobs" / descriptor["digest"].replace(":", "/")).read_bytes()
            headers = {"Content-Type": descriptor["mediaType"]}
            with urllib3.PoolManager() as client:
                for number in range(1, TAGS):
                    url = f"http://{registry}/v2/bench/app/manifests/t{number}"
                    assert client.request("PUT", url, body=content, headers=headers).status == 201
            yield registry


def row(registry: str, case: str, concurrency: int, delay: float) -> str:
    """Measure a case in a process of its own, three times, and keep the fastest."""
    command = [sys.executable, __file__, "--case", case, "--registry", registry]
    command += ["--concurrency", str(concurrency), "--delay", str(delay)]
    runs = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(3)]
    best = min(runs, key=lambda run: run["seconds"])
    return (
        f"| {case} | {concurrency} | {best['seconds']:.2f} | {TAGS / best['seconds']:.0f} | {best['requests']} "
        f"| {best['requests'] / best['seconds']:.0f} | {best['waiting']:.0%} | {best['peak']:.0f} MiB |"
    )


def measure(registry: str, case: str, concurrency: int, delay: float) -> dict[str, float]:
    """Load all tags, and let go of each export as soon as it is there."""
    requests = count_requests(delay)
    options = Options(concurrency=concurrency, probe="probe" in case, tag_glob="*" if case == "all tags" else None)
    repository = f"type=registry,ref={registry}/bench/app"
    refs = [repository] if case == "all tags" else [f"{repository}:t{number}" for number in range(TAGS)]
    load([f"{registry}/bench/app:t0"])  # imports
    requests.clear()
    began, cpu = time.perf_counter(), time.process_time()
    loaded = sum(len(part.exports) for part in load_each(refs, options))
    seconds = time.perf_counter() - began
    assert loaded == TAGS
    return {
        "seconds": seconds,
        "requests": len(requests),
        "waiting": 1 - (time.process_time() - cpu) / seconds,
        "peak": peak(),
    }


def count_requests(delay: float) -> list[str]:
    """Note every request from now on, and put it off by so many seconds."""
    requests: list[str] = []
    send = Http.send

    def counted(http: Http, method: str, url: str, **how: Any) -> Answer:  # noqa: ANN401 - passed on as it comes
        requests.append(url)
        time.sleep(delay)
        return send(http, method, url, **how)

    Http.send = counted  # type: ignore[method-assign]  # the one place where every request passes
    return requests


def peak() -> float:
    """Most memory that the process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    os.environ.setdefault("DOCKER_CONFIG", str(ROOT / "nowhere"))
    main()
