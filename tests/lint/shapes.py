"""Small files in the shapes that people write, with what is to be read in them: ``tests/data/lint/*.txt``.

::

    === name of the case
    --- name of a file
    its text
    --- expected
    from compose.yaml:4 type=gha,scope=*        each entry once, in the order of builds
    to compose.yaml:5 type=gha if CI            with its own conditions
    passed over compose.yaml:7 why
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cachegraph.lint.finding import find_settings
from cachegraph.lint.model import Repository
from cachegraph.lint.reader import read_settings

FOLDER = Path(__file__).parent.parent / "data" / "lint"


@dataclass(frozen=True)
class Shape:
    """A case."""

    kind: str
    name: str
    files: dict[str, str]
    expected: list[str]

    def read(self, folder: Path) -> Repository:
        """Write its files, and read them as ``lint`` reads a repository."""
        (folder / ".git").mkdir()
        (folder / ".git" / "config").write_text('[remote "origin"]\n\turl = git@github.com:acme/app.git\n')
        for name, text in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return read_settings(find_settings(folder), root=folder)


def shapes() -> Iterator[Shape]:
    """Read all cases."""
    for path in sorted(FOLDER.glob("*.txt")):
        for case in ("\n" + path.read_text("utf-8")).split("\n=== ")[1:]:
            title, _, body = case.partition("\n")
            parts = [part.partition("\n") for part in ("\n" + body).split("\n--- ")[1:]]
            files = {name: text + "\n" for name, _, text in parts if name != "expected"}
            expected = next((text for name, _, text in parts if name == "expected"), "")
            yield Shape(path.stem, title, files, expected.strip().splitlines())


def told(read: Repository) -> list[str]:
    """Write what was read as the cases have it."""
    found: dict[str, None] = {}
    for build, entry in read.entries:
        if build.is_abstract:
            continue
        place = entry.place
        line = f"{entry.direction} {place.file}:{place.line} {entry.shown}"
        line += f" !{entry.error}" if entry.error else "" if entry.is_resolved else " ?"
        line += "".join(f" if {condition.text}" for condition in entry.conditions)
        found[line] = None
    passed = [f"passed over {one.place.file}:{one.place.line} {one.reason}" for one in read.unresolved]
    return [*found, *passed, *(f"failed {one.place.file} {one.reason}" for one in read.failures)]
