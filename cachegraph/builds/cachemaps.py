"""What BuildKit hashes to get the digest of an operation: the ``CacheMap`` functions of ``solver/llbsolver/ops``."""

from __future__ import annotations

import os
import posixpath
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from cachegraph.builds.content.selection import Selection, clean, select_copies, select_mounts
from cachegraph.builds.llb import AnyOp, CacheOpt, Exec, File, Meta, Mount, Platform, Step, go_json

__all__ = ["Dependency", "cache_text", "dependencies", "operation_text", "selectors"]


_NO_FILES = frozenset({1, 2, 4})
"""Mount types without an input: secret, ssh, tmpfs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """What an operation's cache map says of one input.

    Attributes
    ----------
    selector : bytes or None
        What is hashed for the selector; None for none.
    content : tuple of Selection or None
        What is hashed by content; None where only the input's own key counts.
    """

    selector: bytes | None = None
    content: tuple[Selection, ...] | None = None


def cache_text(step: Step, platform: Platform) -> bytes | None:
    """Write what BuildKit hashes for the cache map digest of a step in provenance.

    Parameters
    ----------
    step : Step
    platform : Platform
        The builder's, for an operation that names none.
    """
    return operation_text(step.op.op, len(step.inputs or ()), step.op.platform or platform)


def operation_text(op: AnyOp, inputs: int, platform: Platform) -> bytes | None:
    """Write what BuildKit hashes for an operation's cache map digest, or give None for another kind of operation.

    Parameters
    ----------
    op : AnyOp
    inputs : int
        Their number.
    platform : Platform
        Of an exec.
    """
    if op.exec:
        return _exec_text(op.exec, platform)
    if op.file:
        return _file_text(op.file, inputs)
    if op.merge:
        return go_json({"Type": "buildkit.merge.v0", "Merge": op.merge})
    if op.diff:
        return go_json({"Type": "buildkit.diff.v0", "Diff": op.diff})
    return None


def dependencies(op: AnyOp, inputs: int) -> tuple[Dependency, ...]:
    """Say which selector and content each input is cached by (``CacheMap.Deps``).

    Parameters
    ----------
    op : AnyOp
    inputs : int
        Their number.
    """
    if op.exec:
        return _exec_dependencies(op.exec, inputs)
    if op.file:
        return tuple(_file_dependency(op.file, number) for number in range(inputs))
    return (Dependency(),) * inputs


def _exec_dependencies(operation: Exec, inputs: int) -> tuple[Dependency, ...]:
    """Mirror ``ExecOp.getMountDeps``."""
    paths: list[list[str]] = [[] for _ in range(inputs)]
    by_content = [False] * inputs
    for mount in operation.mounts:
        if mount.mount_type in _NO_FILES or not 0 <= mount.input < inputs:
            continue
        path = clean(mount.selector)
        paths[mount.input].append(path)
        # Files beside the selected ones must not get into a result; and the root is too large to be hashed.
        # Of several mounts of one input, the last one decides.
        cannot_leak = mount.output == -1 or mount.readonly or path == "/"
        by_content[mount.input] = cannot_leak and mount.dest != "/"
    return tuple(
        Dependency(
            selector=b"\0".join(os.fsencode(path) for path in selected) if selected else None,
            content=select_mounts(selected) if hashed else None,
        )
        for selected, hashed in zip(paths, by_content, strict=True)
    )


def _file_dependency(operation: File, place: int) -> Dependency:
    selections = select_copies(operation, place)
    if not selections:
        return Dependency()
    paths = sorted((os.fsencode(selection.path) for selection in selections), reverse=True)
    return Dependency(selector=b"\0".join(paths), content=selections)


def _exec_text(operation: Exec, platform: Platform) -> bytes:
    """Mirror ``ExecOp.CacheMap``."""
    replace = msgspec.structs.replace
    meta = operation.meta or Meta()
    meta = replace(meta, extra_hosts=tuple(replace(host, ip="") for host in meta.extra_hosts))
    mounts = tuple(replace(mount, selector="", cache_opt=_cache_opt(mount)) for mount in operation.mounts)
    # The root mount alone is left out, for compatibility with versions that left out all mounts.
    roots = [replace(mount, input=0, output=0, tmpfs_opt=None, content_cache=0) for mount in mounts]
    if roots == [Mount(dest="/")]:
        mounts = ()
    text: dict[str, object] = {
        "Type": "buildkit.exec.v0",
        "Exec": replace(operation, meta=meta, mounts=mounts),
        "OS": platform.os,
        "Arch": platform.architecture,
    }
    optional = {"Variant": platform.variant, "OSVersion": platform.os_version, "OSFeatures": platform.os_features}
    return go_json(text | {key: value for key, value in optional.items() if value})


def _cache_opt(mount: Mount) -> CacheOpt | None:
    """Mirror ``checkShouldClearCacheOpts``: only a cache mount with the default id keeps it."""
    option = mount.cache_opt
    if option is None:
        return None
    _, slash, rest = option.id.partition("/")
    if option.sharing == 0 and (option.id == mount.dest or (slash and rest == mount.dest)):
        return option
    return CacheOpt()


def _file_text(operation: File, inputs: int) -> bytes:
    """Mirror ``fileOp.CacheMap``."""
    texts = []
    for action in operation.actions:
        copy = action.action.copy
        if copy and -1 < action.secondary_input < inputs:
            copy = msgspec.structs.replace(copy, src=_base(copy.src))
        texts.append(go_json(copy or action.action.mkfile or action.action.mkdir or action.action.rm))
    text: dict[str, object] = {"Type": "buildkit.file.v0", "Actions": texts}
    indexes = [(action.input, action.secondary_input, action.output) for action in operation.actions]
    return go_json(text if _are_default(indexes) else text | {"indexes": indexes})


def _are_default(indexes: Sequence[tuple[int, int, int]]) -> bool:
    """Mirror ``isDefaultIndexes``: one action after the other, as older versions took for granted."""
    last = len(indexes) - 1
    return bool(indexes) and all(
        first == (0 if place == 0 else last + place) and second in (-1, 1) and output == (0 if place == last else -1)
        for place, (first, second, output) in enumerate(indexes)
    )


def _base(path: str) -> str:
    """Mirror Go's ``path.Base``."""
    return posixpath.basename(path.rstrip("/")) or ("/" if path else ".")


def selectors(operation: File) -> Iterator[bytes]:
    """Write what BuildKit hashes for the selectors of a file operation's inputs."""
    paths: dict[int, list[bytes]] = defaultdict(list)
    for action in operation.actions:
        chosen = action.action.copy or action.action.mkfile or action.action.mkdir
        owner = chosen.owner if chosen else None
        for option, file in ((owner.user, b"/etc/passwd"), (owner.group, b"/etc/group")) if owner else ():
            if option and option.user.by_name:
                paths[option.user.by_name.input].append(file)
        if action.action.copy:
            paths[action.secondary_input].append(action.action.copy.src.encode())
    written = {action.input for action in operation.actions}
    for number, found in paths.items():
        if number not in written:
            yield b"\0".join(sorted(found, reverse=True))
