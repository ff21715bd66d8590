"""Names of records and selectors, from plaintexts.

A record's digest has a plaintext ``<digest of the operation>@<output>``, type ``string``, where output -1 marks the
hash of files; from there the way goes to the operation's own plaintext:

===============  ==================================================================
``json``         an operation, or the key of an image, a local context or a download
``string``       ``buildkit.source.v0:<key>``, a source
``string-list``  paths, joined by NUL: a selector
``digest-list``  digests of files and directories, joined by NUL
``file-list``    path (NUL for each slash) and digest, in turn: a directory
``file``         a file's header; its content is left out
===============  ==================================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from cachegraph.builds.operation_names import MAX_TEXT, clean, describe_operation
from cachegraph.builds.plaintexts import Plaintext
from cachegraph.core.model import Name, Names
from cachegraph.core.untrusted import known_json

__all__ = ["ROOT_SELECTOR", "SOURCE_PREFIX", "name_all"]

ROOT_SELECTOR = "sha256:8a5edab282632443219e051e4ade2d1d5bbc671c781051bf1437897cbdfea0f1"
"""The selector of the whole tree, ``/``, which no daemon needs to remember (BuildKit ``cmd/buildkitd/debug.go``)."""

SOURCE_PREFIX = b"buildkit.source.v0:"

_KEY = re.compile(rb"((?:sha256|random):[0-9a-f]{64})@(-?[0-9]{1,9})")
_COMMIT = re.compile(r"[0-9a-f]{40}(?![0-9a-f])|[0-9a-f]{64}")
_MAX_FILES = 1000


class _Local(msgspec.Struct, frozen=True):
    """The key of a local context (BuildKit ``source/local``)."""

    FollowPaths: tuple[str, ...] | None = None


class _ImageKey(msgspec.Struct, frozen=True):
    """The key of an image by its manifest (BuildKit ``source/containerimage``: mainManifestKey)."""

    Digest: str = ""
    OS: str = ""
    Arch: str = ""
    Variant: str = ""


class _Download(msgspec.Struct, frozen=True):
    """The key of a download (BuildKit ``source/http``: formatCacheKey)."""

    Filename: str = ""
    Checksum: str = ""


_K = TypeVar("_K", _Local, _ImageKey, _Download)
_DECODERS: dict[type, msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(kind) for kind in (_Local, _ImageKey, _Download)
}


def name_all(plaintexts: Mapping[str, Plaintext], references: Mapping[str, str] | None = None) -> Names:
    """Name every record and selector whose plaintext is known.

    Parameters
    ----------
    plaintexts : mapping of str to Plaintext
        By digest.
    references : mapping of str to str, optional
        How users call an image or a repository, by manifest digest or commit.
    """
    namer = _Namer(plaintexts, references or {})
    records: dict[str, Name] = {}
    selectors = {ROOT_SELECTOR: "/"}
    for digest, plaintext in plaintexts.items():
        if plaintext.type == "string-list":
            selectors[digest] = clean(", ".join(_decode(path) for path in plaintext.text.split(b"\0")))
        elif plaintext.type == "string":
            name = namer.record(plaintext.text)
            if name is not None:
                records[digest] = name
    return Names(records=records, selectors=selectors)


class _Namer:
    """Follows a record's plaintext to what it stands for."""

    def __init__(self, plaintexts: Mapping[str, Plaintext], references: Mapping[str, str]) -> None:
        self._plaintexts = plaintexts
        self._references = references

    def record(self, text: bytes) -> Name | None:
        """Name the record whose digest is the hash of this text, if it is one."""
        if text.startswith(SOURCE_PREFIX + b"session:"):
            # A local context's key is "random:" and the hash of this text itself (BuildKit solver: rootKey).
            return Name(op="source", name=self._source(_decode(text[len(SOURCE_PREFIX) :])))
        match = _KEY.fullmatch(text)
        if match is None:
            return None
        plaintext = self._plaintexts.get(match[1].decode().replace("random:", "sha256:"))
        output = int(match[2])
        if plaintext is None:
            return None
        if output == -1:
            return Name(op="content", name=self._content(plaintext))
        if plaintext.type == "string" and plaintext.text.startswith(SOURCE_PREFIX):
            name: Name | None = Name(op="source", name=self._source(_decode(plaintext.text[len(SOURCE_PREFIX) :])))
        else:
            name = describe_operation(plaintext.text)
        return name if name is None or output == 0 else replace(name, name=f"{name.name} (output {output})")

    def _source(self, key: str) -> str:
        if key.startswith("session:"):
            _, _, rest = key.partition(":")
            name, _, digest = rest.partition(":")
            paths = self._json(digest, _Local).FollowPaths or ()
            return clean(f"local {name}" + (f" ({', '.join(paths)})" if paths else ""))
        if commit := _COMMIT.match(key):
            return clean(" ".join(filter(None, ("git", self._references.get(commit[0]), key))))
        image = self._json(key, _ImageKey)
        if image.OS:
            platform = "/".join(filter(None, (image.OS, image.Arch, image.Variant)))
            return clean(f"image {self._references.get(image.Digest, image.Digest)} ({platform})")
        download = self._json(key, _Download)
        if download.Checksum:
            return clean(f"http {download.Filename} {download.Checksum}")
        return clean(f"image of layers {key}")

    def _json(self, digest: str, kind: type[_K]) -> _K:
        plaintext = self._plaintexts.get(digest)
        known = known_json(plaintext.text, _DECODERS[kind]) if plaintext else None
        return kind() if known is None else known

    def _content(self, plaintext: Plaintext) -> str:
        files: list[str] = []
        size = 0
        for file in self._files(plaintext):
            files.append(file)
            size += len(file)
            if size > MAX_TEXT:
                break
        return clean(f"content of {', '.join(files) or 'nothing'}")

    def _files(self, plaintext: Plaintext) -> Iterator[str]:
        """List the files below, in order; a file that was hashed alone has no path in its plaintext, only a size."""
        waiting = [("", digest) for digest in reversed(_decode(plaintext.text).split("\0"))]
        for _ in range(_MAX_FILES):
            if not waiting:
                return
            path, digest = waiting.pop()
            below = self._plaintexts.get(digest)
            if below is not None and below.type == "file-list":
                pairs = zip(below.frames[::2], below.frames[1::2], strict=False)
                inside = [(_decode(name).replace("\0", "/"), _decode(value)) for name, value in pairs]
                # A directory's own header has no name.
                waiting += [(path + name, value) for name, value in reversed(inside) if name != "/"]
            elif path:
                yield path.lstrip("/")
            elif below is not None:
                size = next((frame[4:] for frame in below.frames if frame.startswith(b"size")), b"?")
                yield f"one file of {_decode(size)} bytes"


def _decode(text: bytes) -> str:
    return text.decode(errors="replace")
