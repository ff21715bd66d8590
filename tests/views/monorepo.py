"""A cache as the builds of a monorepo leave it: services, each with its stages, on a few shared bases."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence

import cachegraph as cg
from cachegraph.core.model import Name, Names, Op

__all__ = ["monorepo"]


class _Maker:
    def __init__(self) -> None:
        self.records: list[dict[str, object]] = []
        self.layers: list[dict[str, object]] = []
        self.names: dict[str, Name] = {}

    def add(self, name: str, *slots: Sequence[int], op: Op = "exec", cached: bool = True) -> int:
        digest = f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"
        record: dict[str, object] = {"digest": digest}
        if slots:
            record["inputs"] = [[{"link": link} for link in slot] for slot in slots]
        if slots and cached:
            record["layers"] = [{"layer": len(self.layers), "createdAt": "2026-11-23T20:36:07.3Z"}]
            self.layers.append({"blob": f"sha256:{hashlib.sha256(b'layer' + name.encode()).hexdigest()}", "parent": -1})
        self.records.append(record)
        self.names[digest] = Name(op=op, name=name)
        return len(self.records) - 1


def monorepo(services: int) -> cg.CacheGraph:
    """Make a cache of about 17 records for each service."""
    dice, maker = random.Random(1), _Maker()
    bases = [maker.add(f"docker.io/library/{name}", op="source") for name in ("node:22", "golang:1.25", "debian:13")]
    tools = [maker.add(f"RUN apt-get install -y git # {number}", [base]) for number, base in enumerate(bases)]
    for number in range(services):
        name, cached = f"service-{number:04d}", dice.random() > 0.15
        lock = maker.add(f"{name}/lock (files)", op="source")
        folder = maker.add(f"WORKDIR /src/{name}", [tools[number % 3]], op="file")
        copied = maker.add(f"COPY {name}/lock ./", [folder], [lock], op="file")
        installed = maker.add(f"RUN install {name}", [copied], cached=cached)
        files = maker.add(f"{name}/ (files)", op="source")
        last = maker.add(f"COPY {name} .", [installed], [files], op="file")
        for step in range(dice.randrange(3, 7)):
            last = maker.add(f"RUN step {step} of {name}", [last], cached=dice.random() > 0.1)
        maker.add(f"RUN test {name}", [last], cached=False)
        content = maker.add(f"content of {name}", op="content")
        final = maker.add(f"COPY --from=build /out/{name} /bin/", [bases[2]], [last, content], op="file")
        maker.add(f"RUN chmod +x /bin/{name}", [final])
    config = json.dumps({"layers": maker.layers, "records": maker.records}).encode()
    return cg.CacheGraph([graph.export for graph in cg.from_config(config)], Names(records=maker.names))
