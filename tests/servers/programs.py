"""The programs behind the marks ``server`` and ``browser``: what they are, where they are, how they get here.

``python -m tests.servers.programs`` (or ``make servers``) installs what is missing; tests only look for it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cachegraph.core.progress import quiet
from cachegraph.server.jars import fetch, read_lock
from cachegraph.server.places import cache_home

__all__ = [
    "AXE",
    "AZURITE",
    "DEBIAN",
    "LOCKS",
    "PYRIGHT",
    "advice",
    "axe",
    "azurite",
    "missing_jars",
    "missing_programs",
    "pyright",
]

DEBIAN = {
    "chromedriver": "chromium-driver",
    "chromium": "chromium",
    "docker-registry": "docker-registry",
    "node": "nodejs",
    "npm": "npm",
}
"""Each program on the path, and the Debian package that brings it."""

LOCKS = ("neo4j-5.26.30", "neo4j-2026.08.1", "cypher-shell-5.26.30", "neo4j-browser-5.24.0")
"""The jars that are fetched from Maven, by lock file."""

AZURITE = Path(__file__).parents[1] / "azurite"
PYRIGHT = Path(__file__).parents[1] / "pyright"
AXE = Path(__file__).parents[1] / "axe"
_TIMEOUT = 600


class _SetupError(Exception):
    """Something could not be installed; the text says what to do."""


def missing_programs() -> list[str]:
    """Programs that are not on the path."""
    return [program for program in DEBIAN if shutil.which(program) is None]


def missing_jars(lock: str) -> list[Path]:
    """Jars of a lock file that were never fetched; whether they are sound is checked at their use."""
    return [jar.path for jar in read_lock(lock) if not (cache_home() / jar.path).is_file()]


def azurite() -> Path:
    """Azurite's script for blobs, in the user's cache folder, a folder for each lock file; it may not be there yet."""
    return _modules(AZURITE) / "azurite" / "dist" / "src" / "blob" / "main.js"


def pyright() -> Path:
    """Pyright's script, as above."""
    return _modules(PYRIGHT) / "pyright" / "index.js"


def axe() -> Path:
    """Axe's script, which a page runs, as above."""
    return _modules(AXE) / "axe-core" / "axe.min.js"


def _modules(source: Path) -> Path:
    """Where npm puts what a folder's lock file names."""
    lock = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()[:12]
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cachegraph" / f"{source.name}-{lock}"
    return home / "node_modules"


def advice(missing: Collection[str], *, apt: bool) -> str:
    """Say what someone who may not install packages does about missing programs."""
    packages = " ".join(sorted({DEBIAN[program] for program in missing}))
    how = (
        f"sudo apt-get install --no-install-recommends {packages}"
        if apt
        else f"the packages that Debian calls {packages}"
    )
    return (
        f"The tests of servers and of the browser need {', '.join(sorted(missing))}, and only root may install them.\n"
        f"    Install them, then say `make test` again: {how}\n"
        "    All other tests run without them: make quick"
    )


def _install_programs() -> None:
    missing = missing_programs()
    apt = shutil.which("apt-get") is not None
    if not missing:
        return
    if os.geteuid() != 0 or not apt:
        raise _SetupError(advice(missing, apt=apt))
    packages = sorted({DEBIAN[program] for program in missing})
    _run("apt-get", "update", "-qq")
    _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages)


def _install_from_npm(source: Path, program: Path) -> None:
    if program.exists():
        return
    home = _modules(source).parent
    home.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(source / name, home)
    _run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=home)


def _install_azurite() -> None:
    _install_from_npm(AZURITE, azurite())


def _install_pyright() -> None:
    _install_from_npm(PYRIGHT, pyright())


def _install_axe() -> None:
    _install_from_npm(AXE, axe())


def _fetch_jars() -> None:
    for lock in LOCKS:
        fetch(lock, quiet)


def _run(*command: str, cwd: Path | None = None) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=_TIMEOUT
    )
    if done.returncode:
        raise _SetupError(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}")


def main() -> None:
    """Install what is missing: Debian's packages first, then what npm and Maven bring, at the same time."""
    try:
        _install_programs()
        with ThreadPoolExecutor() as pool:
            for step in [pool.submit(work) for work in (_install_azurite, _install_pyright, _install_axe, _fetch_jars)]:
                step.result()
    except _SetupError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
