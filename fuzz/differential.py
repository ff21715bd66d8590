"""Ask BuildKit's own importer and ours about the same configs: ``make fuzz-go``, which builds ``fuzz/go`` first.

Compared are whether the JSON can be read, what it says once read (times as moments), and the importer's words.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import subprocess
import sys
import time
from collections import Counter
from typing import Any

import msgspec

from cachegraph.core.decode import decode
from cachegraph.core.gotime import go_nanoseconds
from cachegraph.core.graph import ExportGraph
from cachegraph.errors import DecodeError
from cachegraph.loaders.config import export_from_config
from fuzz import shapes
from fuzz.__main__ import KEPT
from fuzz.sources import Choices

BATCH = 200


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz.differential", description=__doc__)
    parser.add_argument("program", help="the Go program, built")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    counts: Counter[str] = Counter()
    began = time.monotonic()
    while time.monotonic() - began < asked.seconds and counts["differences"] < 10:
        batch = [shapes.config(Choices(chance.randbytes(chance.choice((8, 64, 512))))) for _ in range(BATCH)]
        for data, theirs in zip(batch, verdicts(asked.program, batch), strict=True):
            counts[kind(theirs)] += 1
            if wrong := difference(data, theirs):
                counts["differences"] += 1
                KEPT.mkdir(parents=True, exist_ok=True)
                path = KEPT / f"differs-{counts['differences']}.json"
                path.write_bytes(data)
                print(f"{path}: {wrong}"[:600])
    print(
        f"{sum(counts.values()) - counts['differences']:,} configs in {time.monotonic() - began:.0f} s:", dict(counts)
    )
    return int(counts["differences"] > 0)


def verdicts(program: str, batch: list[bytes]) -> list[dict[str, Any]]:
    """Ask BuildKit."""
    asked = "\n".join(json.dumps(base64.b64encode(data).decode()) for data in batch)
    done = subprocess.run([program], input=asked.encode(), capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def kind(theirs: dict[str, Any]) -> str:
    return "not read" if "json" in theirs else "refused" if "import" in theirs else "imported"


def difference(data: bytes, theirs: dict[str, Any]) -> str | None:
    """Say how the two differ, if they do."""
    try:
        ours = decode(data)
    except DecodeError as error:
        return None if "json" in theirs else f"we cannot read it ({error}), BuildKit can"
    if "json" in theirs:
        return f"we read it, BuildKit does not: {theirs['json']}"
    read = json.loads(msgspec.json.encode(ours))
    if "decoded" in theirs and moments(theirs["decoded"]) != moments(read):
        return f"read differently: {json.dumps(theirs['decoded'])[:250]} and {json.dumps(read)[:250]}"
    said = ExportGraph(
        export_from_config(data, kind="config", blobs=[layer.blob for layer in ours.layers])
    ).import_error
    if (said or None) != theirs.get("import"):
        return f"BuildKit says {theirs.get('import')!r}, we {said!r}"
    return None


def moments(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Leave out zero values, and give times as nanoseconds."""
    if isinstance(value, list):
        return [moments(item) for item in value]
    if not isinstance(value, dict):
        return value
    shown = {}
    for key, item in value.items():
        if key == "createdAt":
            found: Any = go_nanoseconds(item) if item else go_nanoseconds("0001-01-01T00:00:00Z")
            shown[key] = found
        elif (inner := moments(item)) not in (None, "", 0, [], {}) or inner is False:
            shown[key] = inner
    if shown.get("createdAt") == go_nanoseconds("0001-01-01T00:00:00Z"):
        del shown["createdAt"]
    return shown


if __name__ == "__main__":
    sys.exit(main())
