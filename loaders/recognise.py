"""What a file is that was given for a cache config and is none: said in a sentence, with what to do with it."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from cachegraph.core.untrusted import known_json
from cachegraph.errors import DecodeError
from cachegraph.loaders.archives import looks_packed
from cachegraph.loaders.paths import open_file, refused
from cachegraph.text.clean import one_line

__all__ = ["is_packed", "looks_packed", "what_else"]

_FIELDS: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_HEAD = 64 << 10  # bytes that are looked at of what is no JSON
_BBOLT = (b"\xed\xda\x0c\xed", b"\xed\x0c\xda\xed")  # at byte 16, in either order
_SHOWN = 6  # keys

_FROM_FILE = "read its cache entries with --from-file {place}"
_CONFIG_HINT = "give the cache config that a manifest of type application/vnd.buildkit.cacheconfig.v0 names"
_NAMES = "it names records: --names {place}"

_JSON = (
    (("target",), "a bake file", _FROM_FILE),
    (("group",), "a bake file", _FROM_FILE),
    (("services",), "a compose file", _FROM_FILE),
    (("jobs",), "a workflow", _FROM_FILE),
    (("moby.buildkit.cache.v0",), "an image's config with inline cache, without its layers", "give the image itself"),
    (("rootfs",), "an image's config", "give the image itself: a reference, or its layout"),
    (("manifests",), "an image index", "give its directory, or the reference"),
    (("schemaVersion",), "an image manifest", "give its directory, or the reference"),
    (("mediaType", "digest"), "a descriptor", "give the directory or the reference that holds the blob"),
    (("imageLayoutVersion",), "the mark of an image layout", "give its directory"),
    (("predicateType",), "an attestation", _NAMES),
    (("buildDefinition",), "provenance", _NAMES),
    (("buildConfig",), "provenance", _NAMES),
    (("auths",), "Docker's settings", "give a cache"),
    (("dependencies",), "a package's settings", "give a cache"),
    (("containerimage.digest",), "what --metadata-file wrote", "give the reference that it names"),
    (("buildx.build.ref",), "what --metadata-file wrote", "give the reference that it names"),
)
_BLOCKS: msgspec.json.Decoder[dict[str, dict[str, msgspec.Raw]]] = msgspec.json.Decoder(
    dict[str, dict[str, msgspec.Raw]]
)
_OF_BLOCKS = frozenset({"target", "group", "services", "jobs"})  # of named objects; other JSON has these words as well
_ENTRIES: msgspec.json.Decoder[list[dict[str, msgspec.Raw]]] = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_OF_DAEMON = frozenset({"id", "digest", "parents", "children"})  # keys in lists that a debug address answers
_LIST = re.compile(rb"\s*\[\s*([\]\[{\"0-9-]|true\b|false\b|null\b)")  # of JSON; [project] begins a file of settings
_TEXT = (
    (re.compile(rb"(?m)^(```|~~~)"), "a page of Markdown", "give a cache"),  # whatever its examples are
    (re.compile(rb"(?m)^[ \t]*(target|group|variable)[ \t]+\"[^\"\n]*\"[ \t]*\{"), "a bake file", _FROM_FILE),
    (re.compile(rb"(?m)^services[ \t]*:"), "a compose file", _FROM_FILE),
    (re.compile(rb"(?m)^jobs[ \t]*:"), "a workflow", _FROM_FILE),
    (re.compile(rb"(?m)^runs[ \t]*:"), "a composite action", _FROM_FILE),
    (re.compile(rb"(?m)^[ \t]+script[ \t]*:"), "GitLab's CI settings", _FROM_FILE),
    (
        re.compile(rb"(?mi)^FROM[ \t]+\S"),
        "a Dockerfile",
        "predict says what a cache holds of its build; --names takes it",
    ),
    (re.compile(rb"(?m)^#\d+ \S"), "a build's log", "give the cache that the build used"),
)


def is_packed(path: Path) -> bool:
    """Tell whether a file is a tar archive or compressed, whatever it is called."""
    with open_file(path, str(path), "check the path") as file:
        try:
            return looks_packed(file.read(512))
        except OSError as error:
            raise refused(error, str(path), "check the path") from None


def what_else(data: bytes, place: str) -> DecodeError | None:
    """Say what bytes are that are no cache config; None if they may be one, or are nothing that is known here.

    Parameters
    ----------
    data : bytes
    place : str
        What errors call it.
    """
    if data[16:20] in _BBOLT:
        return DecodeError(f"{place}: this is a daemon's database", hint=f"give it as type=daemon,db={place}")
    fields = known_json(data, _FIELDS)
    if fields is not None:
        return _other_json(fields, place)
    if _LIST.match(data):
        return _list(data, place)
    if data.lstrip()[:1] == b"[":
        return DecodeError(f"{place}: this is no JSON, so it is no cache config", hint="give a cache")
    head = data[:_HEAD]
    for pattern, what, cure in _TEXT if data.lstrip()[:1] != b"{" else ():
        if pattern.search(head):
            return _named(place, what, cure)
    return None


def _other_json(fields: dict[str, msgspec.Raw], place: str) -> DecodeError | None:
    keys = {key.lower() for key in fields}  # Go reads them so
    if not fields or (keys & {"layers", "records"} and "schemaversion" not in keys):
        return None
    for needed, what, cure in _JSON:
        if all(key in fields and _fits(key, fields[key]) for key in needed):
            return _named(place, what, cure)
    return DecodeError(
        f"{place}: this is JSON, but no cache config: it has neither layers nor records, but {_keys(fields)}",
        hint=_CONFIG_HINT,
    )


def _fits(key: str, value: msgspec.Raw) -> bool:
    """Tell whether a value is what the key has in a file of its kind."""
    if key not in _OF_BLOCKS:
        return True
    blocks = known_json(bytes(value), _BLOCKS)
    return bool(blocks)


def _list(data: bytes, place: str) -> DecodeError:
    entries = known_json(data, _ENTRIES)
    if not entries or _OF_DAEMON & {key.lower() for key in entries[0]}:
        shown, hint = "", "a daemon's keys are type=daemon,debug=FILE"
    else:
        shown, hint = f": its entries have {_keys(entries[0])}", _CONFIG_HINT
    return DecodeError(f"{place}: this is a list, no cache config{shown}", hint=hint)


def _keys(fields: dict[str, msgspec.Raw]) -> str:
    return ", ".join(one_line(key)[:40] for key in list(fields)[:_SHOWN]) or "no keys"


def _named(place: str, what: str, cure: str) -> DecodeError:
    return DecodeError(f"{place}: this is {what}, no cache config", hint=cure.format(place=place))
