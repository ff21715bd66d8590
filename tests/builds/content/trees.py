"""Small trees written as Python: bytes make a file, text a link, a mapping a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cachegraph.builds.content.nodes import Bytes, File, Folder, Link, Metadata, Node, read_blob

Layout = Mapping[str, "bytes | str | Layout | Node"]


def folder(layout: Layout, mode: int | None = 0o755) -> Folder:
    """Make a folder; without a mode it is the top of a local source."""
    return Folder(
        metadata=None if mode is None else Metadata(mode=mode),
        children={name: node(value) for name, value in layout.items()},
    )


def node(value: bytes | str | Layout | Node) -> Node:
    """Make a file 0644, a link or a folder 0755."""
    if isinstance(value, bytes):
        return File(metadata=Metadata(mode=0o644), blob=Bytes(value))
    if isinstance(value, str):
        return Link(metadata=Metadata(mode=0o777), target=value)
    return folder(value) if isinstance(value, Mapping) else value


def paths(tree: Folder) -> dict[str, str]:
    """Write a tree flat: kind, mode, owner and content by path, ``/`` for the top."""
    found: dict[str, str] = {}
    waiting: list[tuple[str, Node]] = [("", tree)]
    while waiting:
        path, one = waiting.pop()
        found[path or "/"] = shown(one)
        if isinstance(one, Folder):
            waiting.extend((f"{path}/{name}", child) for name, child in one.children.items())
    return found


def shown(one: Node) -> str:
    """Write a node on one line."""
    metadata = getattr(one, "metadata", None)
    if metadata is None:
        return "top" if isinstance(one, Folder) else "unreadable"
    owner = f" {metadata.uid}:{metadata.gid}" if (metadata.uid, metadata.gid) != (0, 0) else ""
    extra = "".join(f" {name}={value.decode()}" for name, value in sorted(metadata.xattrs))
    if isinstance(one, File):
        content = read_blob(one.blob, 1 << 20)
        assert isinstance(content, bytes)
        return f"{metadata.mode:o}{owner}{extra} {content.decode()!r}"
    if isinstance(one, Link):
        return f"-> {one.target}{owner}"
    return f"{metadata.mode:o}{owner}{extra}"


def write(layout: Layout, root: Path) -> None:
    """Put a tree on disk."""
    for name, value in layout.items():
        path = root / name
        if isinstance(value, bytes):
            path.write_bytes(value)
            path.chmod(0o644)
        elif isinstance(value, str):
            path.symlink_to(value)
        elif isinstance(value, Mapping):
            path.mkdir()
            path.chmod(0o755)
            write(value, path)
