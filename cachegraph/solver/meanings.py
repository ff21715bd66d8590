"""What a key stands for, as far as its plaintext is known, and how two keys differ in words.

A plaintext is what BuildKit hashed; a digest that has one cannot stand for anything else, so nothing here is a guess.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Literal

import msgspec

from cachegraph.builds import llb
from cachegraph.builds.operation_names import clean, describe_operation
from cachegraph.builds.plaintext_names import SOURCE_PREFIX
from cachegraph.builds.plaintexts import Plaintext
from cachegraph.core.untrusted import known_json

__all__ = ["Meaning", "Texts", "differences", "likeness"]

Kind = Literal["run", "file", "merge", "diff", "image", "source", "content"]
Texts = Mapping[str, Plaintext]
"""Plaintexts by digest."""

_KEY = re.compile(rb"((?:sha256|random):[0-9a-f]{64})@(-?[0-9]{1,9})")
_SECRET = re.compile(r"token|secret|passw|credential|api_?key|private|auth", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_MAX_FILES = 5000
_MAX_SHOWN = 300
_MOUNTS = {0: "bind", 1: "secret", 2: "ssh", 3: "cache", 4: "tmpfs"}
_NETWORKS = {0: "default", 1: "host", 2: "none"}
_TYPES = {"0": "file", "1": "hard link", "2": "link", "5": "folder"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a key stands for.

    Attributes
    ----------
    kind : Kind
    title : str
        A line that a build engineer recognises: ``RUN make``, ``COPY src /src``, an image's reference.
    facts : mapping of str to str
        Everything that makes the key, by a label for people.
    ordered : tuple of str
        Labels whose order counts in the key too.
    hidden : frozenset of str
        Labels of what may be a secret, whose values are never shown.
    """

    kind: Kind
    title: str
    facts: Mapping[str, str] = field(default_factory=dict, repr=False)
    ordered: tuple[str, ...] = ()
    hidden: frozenset[str] = frozenset()

    @staticmethod
    def of(digest: str, texts: Texts, references: Mapping[str, str] | None = None) -> Meaning | None:
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
        return _operation(below.text)


def likeness(one: Meaning, other: Meaning) -> float:
    """Say how alike two meanings read, from 0 to 1; 0 for those of different kinds."""
    if one.kind != other.kind:
        return 0.0
    a, b = one.title[:_MAX_SHOWN], other.title[:_MAX_SHOWN]
    return SequenceMatcher(None, a, b, autojunk=False).ratio() if a != b else 1.0


def differences(was: Meaning, now: Meaning) -> tuple[str, ...]:
    """Say in words how two meanings differ, one thing each.

    Parameters
    ----------
    was, now : Meaning

    Returns
    -------
    tuple of str
        Empty where they are the same.

    Examples
    --------
    >>> differences(Meaning(kind="run", title="", facts={"env MODE": "a"}), Meaning(kind="run", title="", facts={}))
    ('env MODE is gone (was a)',)
    """
    if now.kind == "content":
        return tuple(_file_changes(was.facts, now.facts))
    found: list[str] = []
    for label in dict.fromkeys((*was.facts, *now.facts)):
        before, after = was.facts.get(label), now.facts.get(label)
        if before == after:
            continue
        if label in was.hidden | now.hidden:
            found.append(f"{label} {_change(before, after)} (its value is not shown)")
            continue
        if before is None:
            found.append(f"{label} is new: {_shown(after)}" if after else f"{label} is new")
        elif after is None:
            found.append(f"{label} is gone (was {_shown(before)})" if before else f"{label} is gone")
        else:
            found.append(f"{label} was {_shown(before)}, is now {_shown(after)}")
    if not found and was.ordered != now.ordered and sorted(was.ordered) == sorted(now.ordered):
        found.append(f"the order was {', '.join(was.ordered)}, is now {', '.join(now.ordered)}")
    return tuple(found)


def _file_changes(was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """Say in words which files differ: those that are new or gone, else their kind, mode, size or content."""
    for path in sorted({*was, *now}):
        before, after = was.get(path), now.get(path)
        if before is None:
            yield f"{path} is new"
        elif after is None:
            yield f"{path} is gone"
        elif before != after:
            yield f"{path}: {_file_change(before.split(', '), after.split(', '))}"


def _file_change(before: Sequence[str], after: Sequence[str]) -> str:
    """Compare ``file, mode 0644, 18 bytes, 76ea7168``: the last is of header and content together."""
    if before[0] != after[0] or len(before) != len(after):
        return f"was a {', '.join(before[:3])}, is now a {', '.join(after[:3])}"
    changed = [f"{one}, is now {other}" for one, other in zip(before[1:3], after[1:3], strict=True) if one != other]
    return "; ".join(changed) or f"other content ({after[2] if len(after) > 2 else after[0]})"


def _change(before: str | None, after: str | None) -> str:
    return "is new" if before is None else "is gone" if after is None else "differs"


def _shown(text: str | None) -> str:
    cleaned = clean(text or "")
    return cleaned if len(cleaned) <= _MAX_SHOWN else cleaned[: _MAX_SHOWN - 3] + "..."


# --- Operations ------------------------------------------------------------------------------------------------------


class _Text(msgspec.Struct, frozen=True):
    """What BuildKit hashes for an operation."""

    Type: str
    Exec: llb.Exec | None = None
    Actions: tuple[bytes, ...] | None = None
    Merge: llb.Merge | None = None
    OS: str = ""
    Arch: str = ""
    Variant: str = ""
    indexes: tuple[tuple[int, ...], ...] | None = None


_decode_text = msgspec.json.Decoder(_Text).decode
_decode_action = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def _operation(text: bytes) -> Meaning | None:
    name = describe_operation(text)
    try:
        found = _decode_text(text)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if name is None:
        return None
    if found.Exec is not None:
        return _run(found, found.Exec, name.name)
    if found.Actions is not None:
        return _file(found, name.name)
    if found.Merge is not None:
        return Meaning(kind="merge", title=name.name, facts={"inputs": str(len(found.Merge.inputs))})
    return Meaning(kind="diff", title=name.name) if name.op == "diff" else None


def _run(text: _Text, operation: llb.Exec, title: str) -> Meaning:
    meta = operation.meta or llb.Meta()
    platform = "/".join(filter(None, (text.OS, text.Arch, text.Variant)))
    facts = {"the command": _command(meta.args)}
    variables: list[str] = []
    for pair in meta.env:
        key, _, value = pair.partition("=")
        facts[f"env {key}"] = _USERINFO.sub("***@", value)
        variables.append(key)
    facts["the working folder"] = meta.cwd
    facts["the user"] = meta.user or "root"
    facts["the platform"] = platform
    facts["the network"] = _NETWORKS.get(operation.network, str(operation.network))
    facts["security"] = "insecure" if operation.security else "sandbox"
    if meta.hostname:
        facts["the host name"] = meta.hostname
    if meta.extra_hosts:
        facts["extra hosts"] = ", ".join(host.host for host in meta.extra_hosts)
    if meta.ulimit:
        facts["ulimits"] = ", ".join(f"{limit.name}={limit.soft}:{limit.hard}" for limit in meta.ulimit)
    if meta.cgroup_parent:
        facts["the cgroup parent"] = meta.cgroup_parent
    for mount in operation.mounts:
        if mount.dest != "/":
            facts[f"mount {mount.dest}"] = _mount(mount)
    for secret in operation.secretenv:
        facts[f"secret env {secret.name}"] = secret.id
    hidden = frozenset(f"env {key}" for key in variables if _SECRET.search(key))
    return Meaning(kind="run", title=title, facts=facts, ordered=tuple(variables), hidden=hidden)


def _command(args: tuple[str, ...]) -> str:
    match args:
        case (shell, "-c", command) if posixpath.basename(shell) in ("sh", "ash", "bash", "dash"):
            return command
    return shlex.join(args)


def _mount(mount: llb.Mount) -> str:
    said = [_MOUNTS.get(mount.mount_type, str(mount.mount_type))]
    if mount.cache_opt is not None and not mount.cache_opt.id:
        said.append("with an id of its own, or not shared")
    if mount.readonly:
        said.append("read-only")
    if mount.cache_opt is not None and mount.cache_opt.id:
        said.append(f"id {mount.cache_opt.id}")
    if mount.secret_opt is not None:
        said.append(f"id {mount.secret_opt.id}")
    if mount.ssh_opt is not None:
        said.append(f"id {mount.ssh_opt.id}")
    if mount.tmpfs_opt is not None and mount.tmpfs_opt.size:
        said.append(f"{mount.tmpfs_opt.size:,} bytes")
    return ", ".join(said)


_ACTION_LABELS = {
    "src": "the source",
    "dest": "the destination",
    "path": "the path",
    "mode": "the mode",
    "modeStr": "the mode",
    "owner": "the owner",
    "data": "the text",
    "include_patterns": "the include patterns",
    "exclude_patterns": "the exclude patterns",
    "attemptUnpackDockerCompatibility": "unpacking",
    "timestamp": "the time stamp",
}


def _file(text: _Text, title: str) -> Meaning:
    facts: dict[str, str] = {}
    actions = text.Actions or ()
    for number, action in enumerate(actions, 1):
        suffix = f" of action {number}" if len(actions) > 1 else ""
        try:
            fields = _decode_action(action)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return Meaning(kind="file", title=title, facts={"the actions": "cannot be read"})
        for key, raw in fields.items():
            facts[_ACTION_LABELS.get(key, key) + suffix] = _field(key, bytes(raw))
    if text.indexes is not None:
        facts["where it writes"] = ", ".join(str(list(index)) for index in text.indexes)
    return Meaning(kind="file", title=title, facts=facts)


_BYTES = msgspec.json.Decoder(bytes)
_STR = msgspec.json.Decoder(str)
_ANY = msgspec.json.Decoder()


def _field(key: str, raw: bytes) -> str:
    if key == "data":
        return _USERINFO.sub("***@", (known_json(raw, _BYTES) or b"").decode(errors="replace"))
    if key == "mode":
        number = known_json(raw, _ANY)
        return f"{number:04o}" if isinstance(number, int) and number >= 0 else "as it is"
    text = known_json(raw, _STR)
    return raw.decode(errors="replace") if text is None else text


# --- Sources and content ---------------------------------------------------------------------------------------------


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
    shown = ", ".join(paths[:5])
    return clean(shown if len(paths) <= 5 else f"{shown} and {len(paths) - 5} more")


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
