"""Files that hold others, nearly right: image layouts, archives, build records, databases."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import struct
import tarfile

from fuzz.shapes import ODD, config, damaged, descriptor, dumped, image, manifest
from fuzz.sources import Choices

__all__ = ["archive", "bbolt", "layout", "record_file"]


def layout(choices: Choices) -> dict[str, bytes]:
    """Make the files of an image layout."""
    leaves = [config(choices), image(choices)]
    middle = [manifest(choices, leaves) for _ in range(choices.number(1, 3))]
    blobs = [*leaves, *middle]
    blobs += [manifest(choices, blobs) for _ in range(choices.number(0, 2))]
    files = {f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}": blob for blob in blobs if not choices.sometimes(5)}
    index = {"manifests": [descriptor(choices, blob) for blob in blobs[2:]]}
    files["index.json"] = dumped(choices, index)
    return files


def record_file(choices: Choices, data: bytes) -> bytes:
    """Change a blob of a build record, and the digests of all that names it, so that it is read to its end."""
    with tarfile.open(fileobj=io.BytesIO(data)) as packed:
        members = {member.name: packed.extractfile(member) for member in packed if member.isfile()}
        files = {name: file.read() for name, file in members.items() if file is not None}
    name = choices.one(sorted(files))
    changed = damaged(choices, files[name]) if not choices.calm else _odder(choices, files[name])
    queue = [(name, changed)]
    while queue:
        name, content = queue.pop()
        del files[name]
        folder, _, old = name.rpartition("/")
        new = hashlib.sha256(content).hexdigest() if len(old) == 64 else old
        files[f"{folder}/{new}" if folder else new] = content
        for other, text in list(files.items()):
            if len(old) == 64 and old.encode() in text:
                queue.append((other, text.replace(old.encode(), new.encode())))
                break
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz", compresslevel=1) as packed:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return made.getvalue()


def _odder(choices: Choices, text: bytes) -> bytes:
    """Put something odd in the place of a JSON value."""
    for _ in range(choices.number(1, 3)):
        values = list(re.finditer(rb':\s*("[^"]*"|-?[0-9.]+|true|false|null)', text))[:65_000]
        if not values:
            return damaged(choices, text)
        found = choices.one(values)
        text = text[: found.start(1)] + json.dumps(choices.one(ODD)).encode() + text[found.end(1) :]
    return text


def archive(choices: Choices) -> bytes:
    """Pack a layout, with members that lie, and headers that are damaged."""
    buffer = io.BytesIO()
    form = choices.one((tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT))
    kinds = (
        tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.GNUTYPE_SPARSE, tarfile.XHDTYPE,
        tarfile.GNUTYPE_LONGNAME, tarfile.CHRTYPE,
    )  # fmt: skip
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for name, content in layout(choices).items():
            info = tarfile.TarInfo(choices.one((name, name, name, f"./{name}", f"/{name}", f"../{name}", "x" * 120)))
            info.size = len(content)
            if choices.sometimes(5):
                info.type = choices.one(kinds)
            if form == tarfile.PAX_FORMAT and choices.sometimes(5):
                info.pax_headers = {
                    choices.one(("size", "path", "GNU.sparse.map", "x")): choices.one(("9", "x", "1,2,3"))
                }
            try:
                tar.addfile(info, io.BytesIO(content))
            except (ValueError, UnicodeError, tarfile.TarError):
                continue
    data = buffer.getvalue()
    if choices.sometimes(20):
        data = damaged(choices, data)
    if choices.sometimes(30):
        data = gzip.compress(data, 1, mtime=0)
    return damaged(choices, data) if choices.sometimes(10) else data


def bbolt(choices: Choices, sound: bytes) -> bytes:
    """Damage a database where it hurts: in the meta pages (with a right checksum), page headers, elements."""
    data = bytearray(sound)
    size = struct.unpack_from("<I", data, 24)[0]
    for _ in range(choices.number(0, 6)):
        page = choices.number(0, max(len(data) // size - 1, 0)) * size
        at = page + choices.number(0, min(160, size - 1))
        if choices.sometimes(50):
            data[at] = choices.number(0, 255)
        else:
            value = choices.one((0, 1, 2, 2**16 - 1, 2**32 - 1, len(data), size))
            data[at : at + 4] = value.to_bytes(8, "little")[:4]
    if choices.sometimes(10):
        del data[choices.number(0, 65_000) :]
    for start in (0, size):  # a checksum that is right leads further in
        if len(data) >= start + 80 and choices.sometimes(90):
            value = 0xCBF29CE484222325
            for byte in data[start + 16 : start + 72]:
                value = ((value ^ byte) * 0x100000001B3) % 2**64
            data[start + 72 : start + 80] = struct.pack("<Q", value)
    return bytes(data)
