"""What would end a build when a step runs, though its key can be computed: missing rights, secrets and users."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from cachegraph.builds.content.nodes import File, Folder, read_blob
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.content.walk import find
from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.llb import Exec
from cachegraph.builds.operations import ImageOrigin, Operation
from cachegraph.builds.trees import Trees

__all__ = ["Granted", "check_execution"]

_HOST_NETWORK = 1
_NAMES = 10 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What a build is given beside its files.

    Attributes
    ----------
    secrets, ssh : collection of str
        Their ids (``--secret id=..``, ``--ssh ID``).
    rights : collection of str
        Such as ``network.host`` and ``security.insecure`` (``--allow``).
    """

    secrets: Collection[str] = ()
    ssh: Collection[str] = ()
    rights: Collection[str] = ()


def check_execution(operations: Iterable[Operation], granted: Granted, trees: Trees, file: str) -> None:
    """Refuse a build of which a step cannot run.

    Parameters
    ----------
    operations : iterable of Operation
    granted : Granted
    trees : Trees
        The user of a RUN is looked up where the files of its image are at hand.
    file : str
        What the Dockerfile is called.

    Raises
    ------
    DockerfileError
        With the line of the step.
    """
    for operation in operations:
        if operation.op.exec and operation.op.exec.meta and operation.unknown is None:
            for reason, hint in _missing(operation, operation.op.exec, granted, trees):
                raise DockerfileError(reason, file=file, line=operation.label.start, hint=hint)


def _missing(operation: Operation, op: Exec, granted: Granted, trees: Trees) -> Iterator[tuple[str, str]]:
    if op.network == _HOST_NETWORK and "network.host" not in granted.rights:
        yield "network.host is not allowed", "allow it as the build does: --allow network.host"
    if op.security and "security.insecure" not in granted.rights:
        yield "security.insecure is not allowed", "allow it as the build does: --allow security.insecure"
    secrets = [mount.secret_opt for mount in op.mounts if mount.secret_opt is not None]
    for name, optional in [(one.id, one.optional) for one in secrets] + [(e.id, e.optional) for e in op.secretenv]:
        if not optional and name not in granted.secrets:
            yield f"secret {name}: not found", f"say that the build has it: --secret id={name}"
    for mount in op.mounts:
        if mount.ssh_opt is not None and not mount.ssh_opt.optional:
            name = mount.ssh_opt.id or "default"
            if name not in granted.ssh:
                yield f"ssh key {name}: not found", f"say that the build has it: --ssh {name}"
    if op.meta and op.meta.user:
        yield from _unknown_user(operation, op.meta.user, trees)


def _unknown_user(operation: Operation, user: str, trees: Trees) -> Iterator[tuple[str, str]]:
    """Look a name up as runc does; a number needs no entry."""
    name, _, group = user.partition(":")
    wanted = [(what, text) for what, text in (("passwd", name), ("group", group)) if text and not text.isdecimal()]
    if not wanted or not operation.inputs or not _is_at_hand(operation.inputs[0], trees):
        return
    tree = trees.tree(operation.inputs[0])
    for what, text in wanted:
        names = None if isinstance(tree, Unknown) else _names(tree, f"/etc/{what}")
        if names is not None and text not in names:
            kind = "user" if what == "passwd" else "group"
            yield f"unable to find {kind} {text}: no matching entries in {what} file", "add it in a step before"


def _is_at_hand(operation: Operation, trees: Trees) -> bool:
    """Tell whether the files of an operation are known without a download."""
    waiting = [operation]
    seen: set[str] = set()
    while waiting:
        current = waiting.pop()
        if current.identity in seen:
            continue
        seen.add(current.identity)
        if current.op.exec or current.unknown is not None:
            return False
        origin = current.origin
        if origin is not None and not (isinstance(origin, ImageOrigin) and trees.files.is_near(origin)):
            return False
        waiting += current.inputs[:1]
    return True


def _names(tree: Folder, path: str) -> set[str] | None:
    """Read the names of a file; None if it cannot be read."""
    found = find(tree, path, follow=True)
    if isinstance(found, Unknown):
        return None
    if not isinstance(found[1], File):
        return set()
    data = read_blob(found[1].blob, _NAMES)
    if isinstance(data, Unknown):
        return None
    return {line.split(b":")[0].strip().decode(errors="replace") for line in data.splitlines() if line.strip()}
