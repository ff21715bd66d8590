"""What it takes to compare and explain exports: ``python benchmarks/explaining.py``.

Two exports of one repository from one day to the next share two thirds of their stages. Seconds are CPU seconds of one
run in one process, each on exports that were just read, so that nothing is worked out twice.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.synthetic import make_config
from cachegraph.core.decode import encode
from cachegraph.core.graph import ExportGraph
from cachegraph.loaders.config import export_from_config
from cachegraph.solver.diff import diff
from cachegraph.solver.explain import explain
from cachegraph.solver.history import history
from cachegraph.solver.inline_preview import inline_preview
from cachegraph.solver.why import why

SIZES = (2_500, 50_000)
QUESTIONS: dict[str, Callable[[list[ExportGraph]], object]] = {
    "read three": lambda exports: exports,
    "diff": lambda exports: diff(exports[0], exports[1]),
    "explain": lambda exports: explain([exports[1]], [exports[0]]),
    "history of three": history,
    "why": lambda exports: why(exports[0], 5),
    "inline-preview": lambda exports: inline_preview(exports[0], [f"layer {number}" for number in range(50)]),
}


def main() -> None:
    """Print the figures."""
    print(f"| records | {' | '.join(QUESTIONS)} |\n|{' --- |' * (len(QUESTIONS) + 1)}")
    for size in SIZES:
        texts = [encode(make_config(size, seed)) for seed in range(3)]
        figures = []
        for name, question in QUESTIONS.items():
            begin = time.process_time()
            exports = [ExportGraph(export_from_config(text)) for text in texts]
            if name != "read three":
                begin = time.process_time()
            question(exports)
            figures.append(time.process_time() - begin)
        print(f"| {size:,} | {' | '.join(f'{figure:.2f}' for figure in figures)} |")


if __name__ == "__main__":
    main()
