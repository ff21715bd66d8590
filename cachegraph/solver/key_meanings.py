"""What a key stands for, by the plaintext that it is the hash of: an operation, a source, the content of files.

A plaintext is what BuildKit hashed; a digest that has one cannot stand for anything else, so nothing here is a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from cachegraph.builds.operation_names import clean
from cachegraph.builds.plaintext_names import SOURCE_PREFIX
from cachegraph.builds.plaintexts import Plaintext
from cachegraph.solver.meanings import Meaning
from cachegraph.solver.operation_meanings import operation_meaning
from cachegraph.text.words import some_of

__all__ = ["Texts", "meaning_of"]

Texts = Mapping[str, Plaintext]
"""Plaintexts by digest."""

_KEY = re.compile(rb"((?:sha256|random):[0-9a-f]{64})@(-?[0-9]{1,9})")
_MAX_FILES = 5000
_TYPES = {"0": "file", "1": "hard link", "2": "link", "5": "folder"}


def meaning_of(digest: str, texts: Texts, references: Mapping[str, str] | None = None) -> Meaning | None:
    """Read what the digest of a record stands for; None where that is not known.

    Parameters
    ----------
    digest : str
    texts : Texts
    references : mapping of str to str, optional
        How users call an image or repository, by manifest digest or commit.
    """
    plaintext = texts.get(digest)
    match = _KEY.fullmatch(plaintext.text) if plaintext else None
    if match is None:
        return None
    below = texts.get(match[1].decode().replace("random:", "sha256:"))
    if below is None:
        return None
    if match[2] == b"-1":
        return _content(below, texts)
    if below.type == "string" and below.text.startswith(SOURCE_PREFIX):
        return _source(below.text[len(SOURCE_PREFIX) :].decode(errors="replace"), texts, references or {})
    return operation_meaning(below.text)


class _Image(msgspec.Struct, frozen=True):
    Digest: str = ""
    OS: str = ""
    Arch: str = ""
    Variant: str = ""


def _source(key: str, texts: Texts, references: Mapping[str, str]) -> Meaning | None:
    if key.startswith("session:"):
        return None  # a local folder's key is made anew for each session, and says nothing
    below = texts.get(key)
    try:
        image = msgspec.json.decode(below.text, type=_Image) if below else _Image()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        image = _Image()
    if image.OS:
        reference = references.get(image.Digest, "").partition("@")[0]
        platform = "/".join(filter(None, (image.OS, image.Arch, image.Variant)))
        facts = {"the digest": image.Digest, "the platform": platform}
        title = f"{reference}@{image.Digest[:19]}" if reference else image.Digest
        return Meaning(kind="image", title=title, facts=({"the reference": reference} if reference else {}) | facts)
    commit = key[:40] if re.match(r"[0-9a-f]{40}", key) else ""
    if commit:
        where = references.get(commit, "")
        return Meaning(kind="source", title=clean(f"git {where} {key}".replace("  ", " ")), facts={"the commit": key})
    return None


def _content(plaintext: Plaintext, texts: Texts) -> Meaning | None:
    """Read the files of a content key: path to mode, size and digest."""
    facts: dict[str, str] = {}
    for path, digest in _files(plaintext, texts):
        header = texts.get(digest)
        if header is None or header.type != "file":
            facts[path] = digest[:19]
            continue
        values = _header(header)
        what = _TYPES.get(values.get("typeflag", "0"), "file")
        mode = int(values.get("mode", "0") or 0)
        size = f", {int(values.get('size') or 0)} bytes" if what == "file" else ""
        target = f" to {values['linkname']}" if values.get("linkname") else ""
        facts[path] = f"{what}{target}, mode {mode:04o}{size}" + (f", {digest[7:15]}" if what == "file" else "")
    if not facts:
        return None
    return Meaning(kind="content", title=_listed(list(facts)), facts=facts)


def _listed(paths: list[str]) -> str:
    return clean(some_of(paths[:5], len(paths)))


def _files(plaintext: Plaintext, texts: Texts) -> Iterator[tuple[str, str]]:
    """Go through the files below a content key; a file that was hashed alone has no path."""
    tops = [digest for digest in plaintext.text.decode(errors="replace").split("\0") if digest]
    waiting = [("" if len(tops) == 1 else f"source {number}", digest) for number, digest in enumerate(tops, 1)]
    waiting.reverse()
    count = 0
    while waiting and count < _MAX_FILES:
        count += 1
        path, digest = waiting.pop()
        below = texts.get(digest)
        if below is not None and below.type == "file-list":
            pairs = list(zip(below.frames[::2], below.frames[1::2], strict=False))
            for name, value in reversed(pairs):
                inside = name.decode(errors="replace").replace("\0", "/")
                whole = (path + inside).strip("/") or "the folder"
                waiting.append((whole, value.decode(errors="replace")))
        else:
            yield path or "the file", digest


def _header(plaintext: Plaintext) -> dict[str, str]:
    """Read a file's header: ``mode420``, ``size3``, .. to their values."""
    values: dict[str, str] = {}
    for frame in plaintext.frames:
        text = frame.decode(errors="replace")
        for name in ("typeflag", "linkname", "mode", "size"):
            if text.startswith(name):
                values[name] = text[len(name) :]
    return values
