"""What it takes to read an export and ask it: ``python benchmarks/core.py``.

All figures are of one process and one run, CPU seconds, the best of several; the bare typed decode (msgspec, no checks)
is what the others are measured against. Peak memory is that of a process of its own for each size.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parent.parent))

import msgspec

from benchmarks.synthetic import make_config
from cachegraph.core.columns import build_columns
from cachegraph.core.decode import decode, encode
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheConfig
from cachegraph.core.search import Links
from cachegraph.graph import CacheGraph
from cachegraph.queries.catalogue import QUERIES
from cachegraph.reading import from_config

T = TypeVar("T")

SIZES = (2_500, 50_000, 200_000)
THREE = ("missing-results", "unreachable-roots", "merge-subsets")


def best(work: Callable[[], T], times: int = 5) -> tuple[float, T]:
    """CPU seconds of the quickest of several runs, and what it gave."""
    seconds = []
    for _ in range(times):
        begin = time.process_time()
        made = work()
        seconds.append(time.process_time() - begin)
    return min(seconds), made


def measure(records: int) -> None:
    """Print the figures of one size."""
    data = encode(make_config(records))
    decoder = msgspec.json.Decoder(CacheConfig)
    bare, _ = best(lambda: decoder.decode(data))
    rows = [("bare typed decode", bare)]
    seconds, config = best(lambda: decode(data))
    rows.append(("decode, checked", seconds))
    seconds, _ = best(lambda: build_columns(config))
    rows.append(("columns", seconds))
    seconds, graph = best(lambda: from_config(data))
    rows.append(("load: decode, columns, results", seconds))

    def three() -> CacheGraph:
        made = from_config(data)
        for name in THREE:
            made.query(name)
        return made

    seconds, _ = best(three)
    rows.append(("load and the three answers", seconds))
    (export,) = graph
    seconds, _ = best(lambda: Links(config.records).order)
    rows.append(("links in both directions, order", seconds))
    for query in QUERIES:
        seconds, _ = best(lambda name=query.name: from_config_and_ask(export, name), 3)
        rows.append((f"question {query.name}, on its own", seconds))
    findings = three().check()
    seconds, _ = best(lambda: [finding.message for finding in findings], 1)
    rows.append((f"wording {len(findings):,} findings", seconds))
    record = records // 10 * 4 + 5  # in the middle of a stage
    seconds, _ = best(lambda: from_config(data).focus(record, 1, 1).to_networkx(), 1)
    rows.append(("load and a focus for NetworkX, nothing computed before", seconds))
    graph.to_networkx()
    seconds, seen = best(lambda: graph.focus(record, 1, 1).to_networkx())
    rows.append((f"a focus for NetworkX ({seen.number_of_nodes()} nodes), all computed before", seconds))

    print(f"\n### {records:,} records, {sum(map(len, Links(config.records).inputs)):,} inputs, {len(data):,} bytes\n")
    print("| step | ms | against bare decode |\n| --- | ---: | ---: |")
    for name, value in rows:
        print(f"| {name} | {value * 1000:,.1f} | {value / bare:.1f} |")


def from_config_and_ask(export: ExportGraph, name: str) -> int:
    """Ask one question of a graph that has answered nothing yet."""
    return len(CacheGraph([export.export]).query(name))


def memory(path: str) -> None:
    """Print the peak memory of reading one export and asking everything."""
    before = peak()
    from_config(Path(path).read_bytes()).check()
    print(f"Peak memory: {peak():,} MiB, of which {before:,} MiB for Python and its modules.", flush=True)


def peak() -> int:
    """Peak resident memory of this process so far, in MiB (Linux)."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--memory":
        memory(sys.argv[2])
    else:
        for size in SIZES:
            measure(size)
            sys.stdout.flush()
            with tempfile.NamedTemporaryFile() as file:
                file.write(encode(make_config(size)))
                file.flush()
                subprocess.run([sys.executable, __file__, "--memory", file.name], check=True)
