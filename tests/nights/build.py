"""Build the nights with a real buildkitd, as root: ``python -m tests.nights.build BUILDKITD BUILDCTL FOLDER``.

Each night a builder with an empty root imports the export of the night before, and writes its own to a folder.
Runs need runc, the base image Debian's klibc-utils.
What ran is taken from the builder's progress: a step was executed if it has a ``started`` that is not ``cached`` and
does not follow a load (cached, ``completed`` missing or later than ``started``) that did not fail.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.nights.base import write_base
from tests.nights.registry import serving
from tests.nights.series import Night, nights


def main(buildkitd: str, buildctl: str, folder: Path) -> None:
    """Build every night."""
    folder.mkdir(parents=True)
    for release in ("3.1", "3.2"):
        write_base(folder / f"os-{release}", release)
    truth = []
    for night in nights():
        before = time.time()
        with serving(folder / f"os-{night.base}") as registry:
            steps = _build(night, buildkitd, buildctl, folder, registry)
        lost = _lose(night, folder)
        truth.append(
            {
                "night": night.number,
                "words": night.words,
                "base": night.base,
                "mode": night.mode,
                "dockerfile": night.dockerfile,
                "lost": lost,
                "built": [before, time.time()],
                "steps": steps,
            }
        )
        ran = [step["name"] for step in steps if step["executed"] and step["inputs"]]
        print(night.number, night.words, "-", len(ran), "ran", flush=True)
    (folder / "truth.json").write_text(json.dumps(truth, indent=1), "utf-8")


def _build(night: Night, buildkitd: str, buildctl: str, folder: Path, registry: str) -> list[dict[str, Any]]:
    context = folder / "context"
    shutil.rmtree(context, ignore_errors=True)
    for name, content in {**night.files, "Dockerfile": night.dockerfile}.items():
        path = context / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(path, (1_790_000_000, 1_790_000_000))
    root, address = folder / "root", f"unix://{folder}/buildkitd.sock"
    place = folder / f"night-{night.number:02}"
    config = folder / "buildkitd.toml"
    config.write_text(f'[registry."docker.io"]\nmirrors = ["{registry}"]\n[registry."{registry}"]\nhttp = true\n')
    arguments = [
        buildkitd,
        "--config",
        str(config),
        "--root",
        str(root),
        "--addr",
        address,
        "--containerd-worker=false",
    ]
    arguments += ["--oci-worker=true", "--oci-worker-snapshotter=native", "--oci-worker-binary=runc"]
    with (folder / "buildkitd.log").open("ab") as log:
        daemon = subprocess.Popen(arguments, stdout=log, stderr=log)
        try:
            _wait(buildctl, address)
            command = [buildctl, "--addr", address, "build", "--progress=rawjson", "--frontend=dockerfile.v0"]
            command += [f"--local=context={context}", f"--local=dockerfile={context}"]
            command += [f"--opt=build-arg:BUILD_DATE=2026-10-{night.number:02}", "--opt=attest:provenance=mode=max"]
            command += [f"--output=type=oci,dest={folder}/image-{night.number:02}.tar"]
            command += [f"--export-cache=type=local,dest={place},mode={night.mode}"]
            if night.number > 1:
                command += [f"--import-cache=type=local,src={folder}/night-{night.number - 1:02}"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            (folder / f"progress-{night.number:02}.jsonl").write_text(done.stderr, "utf-8")
            if done.returncode:
                raise SystemExit(f"night {night.number}: {done.stderr[-2000:]}")
        finally:
            daemon.terminate()
            daemon.wait()
    shutil.rmtree(root)
    shutil.rmtree(place / "ingest", ignore_errors=True)
    return _steps(done.stderr)


def _wait(buildctl: str, address: str) -> None:
    for _ in range(100):
        if not subprocess.run(
            [buildctl, "--addr", address, "debug", "workers"], capture_output=True, check=False
        ).returncode:
            return
        time.sleep(0.1)
    raise SystemExit("buildkitd does not start: see buildkitd.log")


def _steps(progress: str) -> list[dict[str, Any]]:
    """Tell of each vertex whether it was executed."""
    steps: dict[str, dict[str, Any]] = {}
    loading: set[str] = set()
    for line in progress.splitlines():
        if not line.startswith("{"):  # a line for people
            continue
        for vertex in json.loads(line).get("vertexes") or ():
            digest, started, completed = vertex["digest"], vertex.get("started"), vertex.get("completed")
            step = steps.setdefault(
                digest,
                {"name": vertex["name"], "inputs": vertex.get("inputs") or [], "executed": False, "cached": False},
            )
            if not started:
                continue
            if vertex.get("cached") and vertex.get("error"):  # a load that failed: what starts after it is the step
                loading.discard(digest)
            elif vertex.get("cached"):
                step["cached"] = True
                if not completed or completed > started:
                    loading.add(digest)
            elif digest not in loading and not vertex.get("error"):
                step["executed"] = True
    return [step for step in steps.values() if not step["name"].startswith(("[internal]", "exporting", "importing"))]


def _lose(night: Night, folder: Path) -> str | None:
    """Delete the layer that the night's step made, as a lifecycle rule does that looks at nothing but age."""
    if not night.loses:
        return None
    import cachegraph as cg

    (graph,) = cg.load(folder / f"night-{night.number:02}", names=folder / f"image-{night.number:02}.tar").graphs
    (record,) = [index for index, naming in enumerate(graph.namings) if (naming.name or "").startswith(night.loses)]
    (result,) = graph.results(record)
    *_, blob = graph.result_blobs(result)  # bottom first
    (folder / f"night-{night.number:02}" / "blobs" / blob.replace(":", "/")).unlink()
    return blob


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
