"""From the JSON that BuildKit hashes for an operation to a line that a build engineer recognises.

The texts are those of the ``CacheMap`` functions in BuildKit's ``solver/llbsolver/ops``; file actions are base64 of
JSON inside the JSON, and carry no word for what they are::

    {"Type":"buildkit.exec.v0","Exec":{"meta":{"args":["/bin/sh","-c","make"],"cwd":"/"}},"OS":"linux","Arch":"amd64"}
    {"Type":"buildkit.file.v0","Actions":["eyJzcmMiOiJhIiwiZGVzdCI6Ii9iIn0="],"indexes":[[-1,0,0]]}
    {"Type":"buildkit.merge.v0","Merge":{"inputs":[{},{"input":1}]}}
"""

from __future__ import annotations

import re
import shlex
import unicodedata
from pathlib import PurePosixPath

import msgspec

from cachegraph.core.model import Name
from cachegraph.core.untrusted import known_json

__all__ = ["MAX_TEXT", "clean", "clean_lines", "describe_operation"]

MAX_TEXT = 4000
"""Characters that a name keeps; whoever displays it shortens it further."""

_SHELLS = frozenset({"ash", "bash", "dash", "ksh", "sh", "zsh"})
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LINE_END = re.compile(r"[ ]*\\\n[ ]*|\n")
_MOUNT_TYPES = {0: "bind", 1: "secret", 2: "ssh", 3: "cache", 4: "tmpfs"}


class _Meta(msgspec.Struct, frozen=True):
    args: tuple[str, ...] = ()


class _CacheOpt(msgspec.Struct, frozen=True):
    ID: str = ""


class _Mount(msgspec.Struct, frozen=True, rename="camel"):
    dest: str = ""
    mount_type: int = 0
    cache_opt: _CacheOpt | None = None


class _Exec(msgspec.Struct, frozen=True):
    meta: _Meta = _Meta()
    mounts: tuple[_Mount, ...] = ()


class _Merge(msgspec.Struct, frozen=True):
    inputs: tuple[msgspec.Raw, ...] = ()


class _Operation(msgspec.Struct, frozen=True):
    """Any of the operations' texts."""

    Type: str
    Exec: _Exec = _Exec()
    Actions: tuple[bytes, ...] | None = None
    Merge: _Merge = _Merge()


class _Action(msgspec.Struct, frozen=True, rename="camel"):
    """Any file action (BuildKit ``solver/pb`` ``FileActionCopy``, ``FileActionMkDir``, ..)."""

    src: str = ""
    dest: str = ""
    path: str = ""
    mode: int | None = None
    data: bytes | None = None
    make_parents: bool = False
    oldpath: str = ""
    newpath: str = ""
    timestamp: int | None = None
    attempt_unpack_docker_compatibility: bool = False


_OPERATION = msgspec.json.Decoder(_Operation)
_ACTION = msgspec.json.Decoder(_Action)


def clean(text: str) -> str:
    """Make a text from outside safe to show: one line, no control or direction characters, of bounded length."""
    return _LINE_END.sub(" ", _safe(text)).strip()[:MAX_TEXT]


def clean_lines(text: str) -> str:
    r"""Make a text from outside safe to show and keep its lines; empty where it is one line, which `clean` gives.

    Examples
    --------
    >>> clean_lines("RUN make\nall")
    'RUN make\nall'
    >>> clean_lines("RUN make")
    ''
    """
    safe = _safe(text).strip()[:MAX_TEXT]
    return safe if "\n" in safe else ""


def _safe(text: str) -> str:
    kept: list[str] = []
    for character in text[: 2 * MAX_TEXT].replace("\r\n", "\n"):
        category = unicodedata.category(character)
        if character == "\n":
            kept.append(character)
        elif character in "\t\r" or category in ("Zl", "Zp"):
            kept.append(" ")
        elif category == "Cs":
            kept.append("\ufffd")
        elif category != "Cc" and character not in _BIDI:
            kept.append(character)
    return "".join(kept)


def describe_operation(text: bytes) -> Name | None:
    """Name an operation, or give None for a text that is not one.

    Parameters
    ----------
    text : bytes
        The JSON whose sha256 is the operation's cache map digest.
    """
    operation = known_json(text, _OPERATION)
    if operation is None:
        return None
    kind = operation.Type.removeprefix("buildkit.").removesuffix(".v0")
    if kind == "exec":
        command = _run(operation.Exec)
        return Name(op="exec", name=clean(command), text=clean_lines(command))
    if kind == "file":
        actions = [_action(action) for action in operation.Actions or ()]
        return Name(op="file", name=clean("; ".join(actions)) or "file operation without actions")
    if kind == "merge":
        return Name(op="merge", name=f"merge of {len(operation.Merge.inputs)} inputs")
    if kind == "diff":
        return Name(op="diff", name="diff")
    return Name(op="unknown", name=clean(kind))


def _run(operation: _Exec) -> str:
    words = ["RUN"]
    for mount in operation.mounts:
        if mount.dest != "/":
            kind = _MOUNT_TYPES.get(mount.mount_type, str(mount.mount_type))
            identity = mount.cache_opt.ID if mount.cache_opt else ""
            named = f",id={identity}" if identity and identity.strip("/") != mount.dest.strip("/") else ""
            words.append(f"--mount=type={kind}{named}" + (f",target={mount.dest}" if mount.dest else ""))
    match operation.meta.args:
        case (shell, "-c", command) if PurePosixPath(shell).name in _SHELLS:
            words.append(command)
        case args:
            words.append(shlex.join(args))
    return " ".join(words)


def _action(text: bytes) -> str:
    action = known_json(text, _ACTION)
    if action is None:
        return "file action that cannot be read"
    if action.src or action.dest:
        verb = "ADD" if action.attempt_unpack_docker_compatibility else "COPY"
        return f"{verb} {_word(action.src)} {_word(action.dest)}"
    if action.newpath or action.oldpath:
        return f"symlink {_word(action.newpath)} -> {_word(action.oldpath)}"
    return f"{_path_verb(action)} {_word(action.path)}"


def _path_verb(action: _Action) -> str:
    """Tell mkdir, mkfile and rm apart by the fields that only they have."""
    if action.data is not None:
        return "mkfile"
    if action.make_parents:
        return "mkdir"
    if action.mode is None and action.timestamp is None:
        return "rm"
    # An empty file and a directory without parents look alike, but only a directory is of no use without an x bit.
    return "mkdir" if (action.mode or 0) & 0o111 else "mkfile"


def _word(path: str) -> str:
    """Quote a path only where blanks would make it two."""
    return shlex.quote(path) if not path or any(character.isspace() for character in path) else path
