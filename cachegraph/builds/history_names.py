"""Names from an image's history: what made each layer, as the Dockerfile frontend notes it.

::

    RUN /bin/sh -c npm ci # buildkit                       RUN npm ci
    RUN |1 TARGETARCH=amd64 /bin/sh -c make # buildkit     RUN make
    COPY package.json /src/ # buildkit                     COPY package.json /src/

Source: BuildKit ``frontend/dockerfile/dockerfile2llb/convert.go`` (``commitToHistory``, ``runCommandString``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cachegraph.builds.operation_names import clean, clean_lines
from cachegraph.core.model import Name, Op

__all__ = ["history_name", "layer_names"]

_MADE = {"RUN": "exec", "COPY": "file", "ADD": "file", "WORKDIR": "file"}
_ARGUMENTS = re.compile(r"RUN \|\d{1,4} ")
_SHELL = re.compile(r"(?:^|\s)/\S*sh(?: -[A-Za-z]+)*? -[A-Za-z]*c ")
_LONGEST = 100_000  # characters that are looked at


def history_name(created_by: str) -> Name | None:
    """Name the step that made a layer; None where the text is not an instruction that makes one.

    Parameters
    ----------
    created_by : str
        As an image's history has it.

    Examples
    --------
    >>> history_name("RUN |1 A=b /bin/sh -c npm ci # buildkit").name
    'RUN npm ci'
    >>> history_name("buildkit.exporter.image.v0") is None
    True
    """
    text = created_by[:_LONGEST].strip().removesuffix("# buildkit").rstrip()
    verb, _, rest = text.partition(" ")
    made = _MADE.get(verb)
    if made is None or not rest.strip():
        return None
    if verb == "RUN":
        shell = _SHELL.search(rest)
        # Of other shells it is not known where the arguments end; /bin/sh -c stands for the ordinary case.
        if shell is not None and (shell.start() == 0 or _ARGUMENTS.match(text)):
            rest = rest[shell.end() :]
    op: Op = "exec" if made == "exec" else "file"
    return Name(op=op, name=clean(f"{verb} {rest}"), text=clean_lines(f"{verb} {rest}"))


def layer_names(history: Sequence[str | None]) -> tuple[Name | None, ...]:
    """Name the layers of an image, in order; None for those whose step is not known.

    Parameters
    ----------
    history : sequence of str or None
        ``created_by`` of each entry that made a layer.
    """
    return tuple(None if text is None else history_name(text) for text in history)
