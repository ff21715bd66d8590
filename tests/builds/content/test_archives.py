"""What is kept of the files of an archive, so that it need not be read again."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass, field
from typing import BinaryIO

import pytest

from cachegraph.builds.content.archives import entries
from cachegraph.builds.content.nodes import START, Bytes, File, read_start


@dataclass(frozen=True)
class Counted(Bytes):
    """An archive that counts how often it is opened."""

    opened: list[None] = field(default_factory=list)

    def open(self) -> BinaryIO:
        self.opened.append(None)
        return Bytes.open(self)


@pytest.mark.parametrize("data", [b"", b"#!", b"\x7fELF" + bytes(12), b"\x7fELF" + bytes(1 << 20)])
def test_the_start_of_a_file_costs_no_second_reading(data: bytes) -> None:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as archive:
        member = tarfile.TarInfo("bin/sh")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    layer = Counted(written.getvalue())
    (entry,) = entries(layer)
    assert isinstance(entry.node, File)
    assert (entry.node.blob.start(), len(layer.opened)) == (data[:START], 1)
    assert read_start(entry.node.blob) == data[:START]
