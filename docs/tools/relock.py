"""Write the lock files anew: ``python -m docs.tools.relock``, after changing the versions here."""

from __future__ import annotations

import hashlib
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jgo.maven import Dependency

from cachegraph import server
from cachegraph.server.jars import maven

ROOTS = {
    "neo4j-5.26.30": ("org.neo4j:neo4j:5.26.30", "org.neo4j.app:neo4j-server:5.26.30"),
    "neo4j-2026.08.1": ("org.neo4j:neo4j:2026.08.1", "org.neo4j.app:neo4j-server:2026.08.1"),
    "cypher-shell-5.26.30": ("org.neo4j:cypher-shell:5.26.30",),
    "neo4j-browser-5.24.0": ("org.neo4j.client:neo4j-browser:5.24.0",),
}
"""Name of each lock file, and the coordinates it is resolved from."""


def _line(dependency: Dependency) -> str:
    sha256 = hashlib.sha256(dependency.artifact.resolve().read_bytes()).hexdigest()
    words = (dependency.groupId, dependency.artifactId, dependency.version, dependency.classifier)
    return f"{sha256} {':'.join(word for word in words if word)}\n"


def main() -> None:
    """Resolve every root and write its lock file."""
    locks = Path(server.__file__).with_name("locks")
    with tempfile.TemporaryDirectory() as repository, ThreadPoolExecutor(16) as pool:
        context = maven(Path(repository))
        for name, roots in ROOTS.items():
            inputs, others = context.resolver.resolve([context.create_dependency(root) for root in roots])
            lines = pool.map(_line, [*inputs, *others])
            locks.joinpath(f"{name}.lock").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
