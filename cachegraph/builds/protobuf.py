"""Operations out of protobuf: ``pb.Definition`` and ``pb.Op``, as ``solver/pb/ops.proto`` numbers their fields.

What has no field here, such as an operation of a kind that is not known, is skipped, as protobuf skips it.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import NoneType
from typing import Any, cast, get_args, get_origin, get_type_hints

import msgspec

from cachegraph.builds import llb
from cachegraph.builds.dockerbuild.wire import fields, read_text
from cachegraph.errors import DecodeError

__all__ = ["Described", "Message", "decode_definition"]

_DEEPEST = 8

_NUMBERS: Mapping[type[msgspec.Struct], Mapping[int, str]] = {
    llb.Platform: {1: "architecture", 2: "os", 3: "variant", 4: "os_version", 5: "os_features"},
    llb.HostIP: {1: "host", 2: "ip"},
    llb.Ulimit: {1: "name", 2: "soft", 3: "hard"},
    llb.Meta: {
        1: "args",
        2: "env",
        3: "cwd",
        4: "user",
        6: "extra_hosts",
        7: "hostname",
        9: "ulimit",
        10: "cgroup_parent",
        11: "remove_mount_stubs_recursive",
        12: "valid_exit_codes",
    },
    llb.TmpfsOpt: {1: "size"},
    llb.CacheOpt: {1: "id", 2: "sharing"},
    llb.SecretOpt: {1: "id", 2: "uid", 3: "gid", 4: "mode", 5: "optional"},
    llb.Mount: {
        1: "input",
        2: "selector",
        3: "dest",
        4: "output",
        5: "readonly",
        6: "mount_type",
        19: "tmpfs_opt",
        20: "cache_opt",
        21: "secret_opt",
        22: "ssh_opt",
        23: "result_id",
        24: "content_cache",
    },
    llb.SecretEnv: {1: "id", 2: "name", 3: "optional"},
    llb.CDIDevice: {1: "name", 2: "optional"},
    llb.Exec: {1: "meta", 2: "mounts", 3: "network", 4: "security", 5: "secretenv", 6: "cdi_devices"},
    llb.NamedUser: {1: "name", 2: "input"},
    llb.User: {1: "by_name", 2: "by_id"},
    llb.Copy: {
        1: "src",
        2: "dest",
        3: "owner",
        4: "mode",
        5: "follow_symlink",
        6: "dir_copy_contents",
        7: "attempt_unpack_docker_compatibility",
        8: "create_dest_path",
        9: "allow_wildcard",
        10: "allow_empty_wildcard",
        11: "timestamp",
        12: "include_patterns",
        13: "exclude_patterns",
        14: "always_replace_existing_dest_paths",
        15: "mode_str",
        16: "required_paths",
    },
    llb.Mkfile: {1: "path", 2: "mode", 3: "data", 4: "owner", 5: "timestamp"},
    llb.Mkdir: {1: "path", 2: "mode", 3: "make_parents", 4: "owner", 5: "timestamp"},
    llb.Rm: {1: "path", 2: "allow_not_found", 3: "allow_wildcard"},
    llb.Owner: {1: "user", 2: "group"},
    llb.FileAction: {1: "input", 2: "secondary_input", 3: "output"},
    llb.AnyAction: {4: "copy", 5: "mkfile", 6: "mkdir", 7: "rm"},
    llb.File: {2: "actions"},
    llb.MergeInput: {1: "input"},
    llb.Merge: {1: "inputs"},
    llb.Diff: {1: "lower", 2: "upper"},
    llb.SourceOp: {1: "identifier", 2: "attrs"},
    llb.AnyOp: {2: "exec", 3: "source", 4: "file", 6: "merge", 7: "diff"},
}
_WRAPPED: Mapping[type[msgspec.Struct], tuple[str, type[msgspec.Struct]]] = {
    llb.UserOpt: ("user", llb.User),
    llb.FileAction: ("action", llb.AnyAction),
    llb.Op: ("op", llb.AnyOp),
}
"""Messages with a ``oneof``, which Go's JSON puts into an object of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An operation as it stands in a definition.

    Attributes
    ----------
    data : bytes
        Its digest is the operation's name in the definition.
    op : llb.Op
    inputs : tuple of (str, int)
        Digest and output.
    """

    data: bytes
    op: llb.Op
    inputs: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What a definition says about an operation: how people call it, and whether it is looked for in no cache."""

    name: str = ""
    ignores_cache: bool = False


@dataclass(slots=True, kw_only=True)
class Decoded:
    """A definition.

    Attributes
    ----------
    messages : list of Message
    described : dict of str to Described
        By digest.
    """

    messages: list[Message] = field(default_factory=list)
    described: dict[str, Described] = field(default_factory=dict)


def decode_definition(data: bytes, place: str) -> Decoded:
    """Read ``pb.Definition``.

    Parameters
    ----------
    data : bytes
    place : str
        What errors call it.

    Raises
    ------
    DecodeError
        The bytes are no protobuf message.
    """
    decoded = Decoded()
    for number, value in fields(data, place):
        if number == 1 and isinstance(value, bytes):
            decoded.messages.append(_message(value, place))
        elif number == 2 and isinstance(value, bytes):
            entry = dict(fields(value, place))
            text = entry.get(2, b"")
            if isinstance(text, bytes):
                decoded.described[read_text(entry.get(1, b""))] = _described(text, place)
    return decoded


def _message(data: bytes, place: str) -> Message:
    inputs = []
    platform: llb.Platform | None = None
    for number, value in fields(data, place):
        if not isinstance(value, bytes):
            continue
        if number == 1:
            entry = dict(fields(value, place))
            inputs.append((read_text(entry.get(1, b"")), _signed(entry.get(2, 0))))
        elif number == 10:
            platform = _struct(llb.Platform, value, place, 0)
    op = _struct(llb.AnyOp, data, place, 0)
    return Message(data=data, op=llb.Op(op=op, platform=platform), inputs=tuple(inputs))


def _described(data: bytes, place: str) -> Described:
    """Read ``pb.OpMetadata``."""
    texts: dict[str, str] = {}
    ignores = False
    for number, value in fields(data, place):
        if number == 1:
            ignores = bool(value)
        elif number == 2 and isinstance(value, bytes):
            entry = dict(fields(value, place))
            texts[read_text(entry.get(1, b""))] = read_text(entry.get(2, b""))
    return Described(name=texts.get("llb.customname", ""), ignores_cache=ignores)


def _struct(kind: type[Any], data: bytes, place: str, depth: int) -> Any:  # noqa: ANN401 - one of the structs
    """Read a message into its struct."""
    if depth > _DEEPEST:
        raise DecodeError("messages are nested too deeply", path=place)
    found: dict[str, Any] = {}
    names = _NUMBERS.get(kind, {})
    hints = _hints(cast(Hashable, kind))
    for number, value in fields(data, place):
        name = names.get(number)
        if name is None:
            continue
        is_list, item = hints[name]
        if get_origin(item) is dict:
            entry = dict(fields(value, place)) if isinstance(value, bytes) else {}
            found.setdefault(name, {})[read_text(entry.get(1, b""))] = read_text(entry.get(2, b""))
            continue
        for one in _values(item, value, place, depth, several=is_list):
            found[name] = (*found.get(name, ()), one) if is_list else one
    if kind in _WRAPPED:
        name, inner = _WRAPPED[kind]
        found[name] = _struct(inner, data, place, depth + 1)
    return kind(**found)


def _values(item: type[Any], value: int | bytes, place: str, depth: int, *, several: bool) -> Sequence[Any]:
    """Read a field's value; of a wire type that it cannot have it is left out."""
    if item in (int, bool):
        if isinstance(value, int):
            return (bool(value) if item is bool else _signed(value),)
        # Numbers in a row are packed.
        return _packed(value, place) if several else ()
    if not isinstance(value, bytes):
        return ()
    if item is bytes:
        return (value,)
    return (read_text(value),) if item is str else (_struct(item, value, place, depth + 1),)


def _packed(data: bytes, place: str) -> list[int]:
    found: list[int] = []
    number = shift = 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            found.append(_signed(number))
            number = shift = 0
    if shift:
        raise DecodeError("a list of numbers does not end", path=place)
    return found


def _signed(value: int | bytes) -> int:
    if isinstance(value, bytes):
        return 0
    return value - (1 << 64) if value >= 1 << 63 else value


@cache
def _hints(kind: Any) -> dict[str, tuple[bool, type[Any]]]:  # noqa: ANN401 - a class, which mypy takes for unhashable
    """Say of each field whether it is a list, and what it holds."""
    found = {}
    for name, hint in get_type_hints(kind).items():
        inner = [one for one in get_args(hint) if one is not NoneType] if NoneType in get_args(hint) else [hint]
        is_list = get_origin(inner[0]) is tuple
        found[name] = (is_list, get_args(inner[0])[0] if is_list else inner[0])
    return found
