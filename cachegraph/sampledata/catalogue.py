"""What samples there are. A new one is a line here; what is in it, ``tests/sampledata/make.py`` packs."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

from cachegraph.errors import UnknownNameError
from cachegraph.text.nearest import nearest

__all__ = ["SAMPLES", "Sample", "Samples", "named"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample.

    Attributes
    ----------
    name : str
    shows : str
        What can be seen in it, in one sentence.
    command : str
        What to try first. ``{}`` stands for the folder that it was written to.
    """

    name: str
    shows: str
    command: str = "cachegraph check {}"


class Samples(Sequence[Sample]):
    """The samples, a row each in a terminal and in a notebook."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = tuple(samples)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | Sequence[Sample]:
        """Give one by its place."""
        return self._samples[index]

    def __len__(self) -> int:
        return len(self._samples)

    def __iter__(self) -> Iterator[Sample]:
        return iter(self._samples)

    def __repr__(self) -> str:
        """Write a line for each, folded to the terminal."""
        column = max(len(sample.name) for sample in self) + 2
        width = max(shutil.get_terminal_size().columns, column + 30)
        return "\n".join(
            textwrap.fill(f"{sample.name:{column}}{sample.shows}", width, subsequent_indent=" " * column)
            for sample in self
        )

    def _repr_mimebundle_(self, **_: object) -> Mapping[str, str]:
        """Show a table in a notebook."""
        from cachegraph.text.render import render

        return {"text/plain": repr(self), "text/html": render("cachegraph.sampledata/samples.html.jinja", rows=self)}


SAMPLES = Samples(
    (
        Sample("web-max", "A small web application, exported with mode=max: everything can be loaded."),
        Sample("web-min", "The same build with mode=min: of this one it keeps as much."),
        Sample("web-oci", "The same build with inline cache: six of its 13 steps keep no result."),
        Sample("web-multi-inline", "It again for two platforms, inline: each of them has a cache of its own."),
        Sample(
            "web-churn", "One directory after four exports: what earlier ones left behind.", "cachegraph history {}"
        ),
        Sample("web-lost", "web-max after a clean-up of its store: one blob is gone, and ten steps with it."),
        Sample(
            "web-prov",
            "No cache, but the image with its provenance, which names the steps of the others.",
            "cachegraph sample web-oci; cachegraph check --names {} web-oci",
        ),
        Sample("scratch-file-inline", "A merge of three, one made on scratch: its step cannot be loaded apart."),
        Sample("scratch-file-file-inline", "The same merge with the cure: made in two steps, it can."),
        Sample("scratch-file-max", "The same merge with mode=max, which is no cure."),
        Sample(
            "names",
            "What a daemon remembers of its keys: names for the web and the scratch samples.",
            "cachegraph sample web-oci; cachegraph check --names {}/cache-all.json web-oci",
        ),
        Sample(
            "cold",
            "A build gone cold: source, workflow, base images, two caches and the build's record.",
            "cachegraph predict -f {0}/Dockerfile --image {0}/bases --cache-from {0}/inline.json {0}/app",
        ),
        Sample(
            "turns",
            "Two branches that write their cache to one place: a.json and b.json.",
            "cachegraph diff {0}/a.json {0}/b.json",
        ),
        Sample(
            "fleet",
            "Many caches of many builds, a folder each, as a registry would hold them.",
            "cachegraph check {}/*",
        ),
        Sample(
            "nights",
            "Thirty nightly caches of one project, a folder each, and its provenance.",
            "cachegraph history --names {0}/names {0}/night-*",
        ),
    )
)
"""All samples, those to begin with first."""


def named(name: str) -> Sample:
    """Find a sample by its name.

    Raises
    ------
    UnknownNameError
        There is none; what there is, and which is nearest.
    """
    for sample in SAMPLES:
        if sample.name == name:
            return sample
    near = nearest(name, (sample.name for sample in SAMPLES))
    every = ", ".join(sample.name for sample in SAMPLES)
    raise UnknownNameError(
        f"there is no sample {name!r}", hint=f"{f'did you mean {near}? ' if near else ''}There are: {every}"
    )
