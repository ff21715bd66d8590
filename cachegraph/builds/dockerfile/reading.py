"""From nodes to instructions and stages (BuildKit ``frontend/dockerfile/instructions``: ``Parse``)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cachegraph.builds.dockerfile import instructions as read
from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.gotext import BLANKS
from cachegraph.builds.dockerfile.lines import Tree, read_trigger
from cachegraph.builds.dockerfile.readers import read_instruction

__all__ = ["Source", "read_stages", "read_triggered"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A Dockerfile, read: its stages, and the ARGs in front of the first of them."""

    stages: tuple[read.Stage, ...]
    arguments: tuple[read.Arg, ...]


def read_stages(tree: Tree) -> Source:
    """Sort the instructions of a Dockerfile into stages.

    Raises
    ------
    DockerfileError
        What BuildKit refuses, with its line.
    """
    stages: list[read.Stage] = []
    below: list[list[read.Instruction]] = []
    arguments: list[read.Arg] = []
    for node in tree.nodes:
        try:
            found = read_instruction(node)
            if isinstance(found, read.Stage):
                stages.append(found)
                below.append([])
            elif stages:
                below[-1].append(found)
            elif isinstance(found, read.Arg):
                arguments.append(found)
            else:
                raise DockerfileError("no build stage in current context", hint="start with FROM")
        except DockerfileError as error:
            raise error.at(node.start) from None
    if not stages:
        raise DockerfileError("dockerfile contains no stages to build", hint="add a FROM")
    filled = (replace(stage, instructions=tuple(inside)) for stage, inside in zip(stages, below, strict=True))
    return Source(stages=tuple(filled), arguments=tuple(arguments))


def read_triggered(text: str, place: read.Place) -> read.Instruction:
    """Read the trigger of an ONBUILD, as an instruction of the stage that stands at a place.

    Raises
    ------
    DockerfileError
        What BuildKit refuses, with the line of the stage.
    """
    try:
        nodes = read_trigger(text).nodes
        if len(nodes) != 1:
            raise DockerfileError("onbuild trigger should be a single expression")
        found = read_instruction(replace(nodes[0], start=place.start, end=place.end))
        if isinstance(found, read.Stage):
            raise DockerfileError("FROM is no instruction for ONBUILD")
    except DockerfileError as error:
        raise type(error)(f"in ONBUILD {text.strip(BLANKS)}: {error.reason}", line=place.start) from None
    return found
