"""What an operation's plaintext says: the command with its environment and mounts, or the files that are copied.

Source: BuildKit ``solver/llbsolver/ops`` (``CacheMap`` of ``exec.go``, ``file.go``, ``merge.go``, ``diff.go``).
"""

from __future__ import annotations

import posixpath
import re
import shlex

import msgspec

from cachegraph.builds import llb
from cachegraph.builds.operation_names import describe_operation
from cachegraph.core.untrusted import known_json
from cachegraph.solver.meanings import Meaning

__all__ = ["operation_meaning"]

_SECRET = re.compile(r"token|secret|passw|credential|api_?key|private|auth", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_MOUNTS = {0: "bind", 1: "secret", 2: "ssh", 3: "cache", 4: "tmpfs"}
_NETWORKS = {0: "default", 1: "host", 2: "none"}


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


def operation_meaning(text: bytes) -> Meaning | None:
    """Read the plaintext of an operation; None for one that is not known."""
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
