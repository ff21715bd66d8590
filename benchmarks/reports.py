"""How long ``cachegraph check`` takes in each format: ``python benchmarks/reports.py 200 1000``.

The table has, for each number of exports, CPU seconds (best of three, reading included) and how many times JSON's.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
import time
from contextlib import redirect_stdout, suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from cachegraph.cli.app import app
from cachegraph.cli.reports import REPORTS

__all__ = ["FORMATS", "exports", "seconds"]

FORMATS = ("json", *(name for name in REPORTS if name != "json"))


def exports(folder: Path, count: int) -> list[str]:
    """Write small cache configs, each with a base image, a lost step, and a few steps without a result.

    Parameters
    ----------
    folder : Path
    count : int

    Returns
    -------
    list of str
        Their paths.
    """
    paths = []
    for number in range(count):
        steps = [
            {"digest": f"sha256:{number:060x}{step:04x}", "inputs": [[{"link": step - 1}]]} for step in range(1, 12)
        ]
        for step in steps[6:]:
            step["layers"] = [{"layer": 0, "createdAt": "2026-01-01T00:00:00Z"}]
        root = {"digest": f"sha256:{number:064x}"}
        config = {"layers": [{"blob": f"sha256:{number:064x}", "parent": -1}], "records": [root, *steps, dict(root)]}
        path = folder / f"cache-{number}.json"
        path.write_text(json.dumps(config))
        paths.append(str(path))
    return paths


def seconds(specs: list[str], format_: str) -> float:
    """Run ``check`` on the specs and give the CPU seconds that it took.

    Parameters
    ----------
    specs : list of str
    format_ : str
    """
    began = time.process_time()
    with redirect_stdout(io.StringIO()), suppress(SystemExit):  # the command ends with its exit code
        app.main(["check", "--fail-on", "never", "--format", format_, *specs], standalone_mode=False)
    return time.process_time() - began


def main(counts: list[int]) -> None:
    """Print the table."""
    print(f"{'format':10}" + "".join(f"{f'{count:,} exports':>22}" for count in counts))
    with tempfile.TemporaryDirectory() as folder:
        specs = exports(Path(folder), max(counts))
        taken = {(f, n): min(seconds(specs[:n], f) for _ in range(3)) for n in counts for f in FORMATS}
    for format_ in FORMATS:
        cells = (f"{taken[format_, n]:11.2f} s {taken[format_, n] / taken['json', n]:5.2f} x" for n in counts)
        print(f"{format_:10}" + "  ".join(cells))


if __name__ == "__main__":
    main([int(count) for count in sys.argv[1:]] or [200, 1000])
