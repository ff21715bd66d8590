"""A shell while the simple commands of a RUN are followed: where files are, what words stand for, what is mounted.

Nothing runs: files are read and written in a tree. What is not known, or would be done in different ways by different
programs, stops it all (`Stopped`).

Source: runc's mounts (``/proc``, ``/sys``, ``/dev``) and BuildKit's ``executor/stubs.go``, which takes away what was
made only to mount something on.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cachegraph.builds.content.editing import Editor, Stopped
from cachegraph.builds.content.gomatch import matcher
from cachegraph.builds.content.nodes import (
    UNREADABLE,
    Bytes,
    File,
    Folder,
    Link,
    Metadata,
    Node,
    Unreadable,
    by_bytes,
    read_blob,
)
from cachegraph.builds.content.scripts import Part, Word
from cachegraph.builds.content.selection import clean
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.content.walk import find

__all__ = ["Shell", "open_question", "stop"]

_RUNTIME = ("/proc", "/sys", "/dev")
"""What the runtime mounts, and makes where it is not there."""
_GENERATED = ("/etc/hosts", "/etc/resolv.conf")
_BYTES = 16 << 20
_LINKS = 40
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=-]+")
_SHELLS = frozenset({"sh", "busybox", "dash", "bash", "ash"})
_ELF = b"\x7fELF"
_SET = frozenset(
    {"PWD", "OLDPWD", "SHLVL", "_", "PPID", "OPTIND", "OPTARG", "RANDOM", "UID", "EUID", "LINENO", "SECONDS"}
)
"""Variables that a shell sets itself."""
_BY_BYTES = frozenset({"", "C", "POSIX", "C.UTF-8", "C.utf8"})


def open_question(reason: str) -> Unknown:
    """Say that only a run can tell."""
    return Unknown(because="run", reason=reason)


def stop(reason: str) -> Stopped:
    """End it all: only a run can tell."""
    return Stopped(open_question(reason))


@dataclass(slots=True, kw_only=True)
class Shell:
    """A shell's state while its commands are done."""

    editor: Editor
    env: Mapping[str, str]
    cwd: str
    mounts: dict[str, Node | None] = field(default_factory=dict)
    budget: int = _BYTES

    # --- What is mounted ---------------------------------------------------------------------------------------------

    def mount(self, target: str, node: Node | None) -> None:
        """Mount something on a path of the tree."""
        path = clean(target if target.startswith("/") else f"{self.cwd}/{target}")
        if self.editor.resolve(path)[0] != path.rstrip("/") or any(_is_in(path, other) for other in self.mounts):
            raise stop(f"{target} is mounted through a link or on another mount")
        self.mounts[path] = node

    def begin(self) -> None:
        """See that the runtime can begin, and mount what it mounts."""
        cwd = self.editor.resolve(self.cwd)[1]
        if self.cwd != "/" and not isinstance(cwd, Folder):
            raise stop(f"{self.cwd} is not there")
        self._program("/bin/sh", _SHELLS)
        for path in _RUNTIME:
            if self.editor.resolve(path)[1] is None:
                # The runtime makes it, and it stays.
                self.editor.put(self.editor.tree, path[1:], Unreadable(open_question(f"{path} is made by the runtime")))
        self.mounts |= dict.fromkeys((*_RUNTIME, *_GENERATED))

    def _program(self, path: str, names: frozenset[str]) -> None:
        """See that a program is what it is called: a binary of that name, or busybox."""
        real, node = self.editor.resolve(path)
        if not isinstance(node, File) or posixpath.basename(real) not in names:
            raise stop(f"{path} is not known")
        start = node.blob.start()
        if isinstance(start, Unknown):
            raise Stopped(start)
        if start != _ELF:
            raise stop(f"{path} is no binary")

    def find(self, text: str) -> tuple[str, Node | None]:
        """Find a path, in a mount or in the tree."""
        if not text or ".." in text.split("/"):
            raise stop(f"{text!r} is a path that is not followed here")
        names: list[str] = []
        nodes: list[Node | None] = [self.editor.tree]
        rest, walked = clean(text if text.startswith("/") else f"{self.cwd}/{text}"), 0
        while rest:
            part, _, rest = rest.partition("/")
            if part == "..":
                del names[-1:], nodes[max(1, len(nodes) - 1) :]
            if part in ("", ".", ".."):
                continue
            here = "".join(f"/{name}" for name in (*names, part))
            if here in self.mounts:
                # What the tree has in this place is hidden.
                path = f"{here}/{rest}".rstrip("/")
                return path, self._inside(self.mounts[here], path, here)
            above = nodes[-1]
            node = self.editor.get(above, part) if isinstance(above, Folder) else None
            if not isinstance(node, Link):
                names.append(part)
                nodes.append(node)
                continue
            walked += 1
            if walked > _LINKS:
                raise stop(f"{text} leads over too many links")
            rest = f"{node.target}/{rest}"
            if node.target.startswith("/"):
                names.clear()
                del nodes[1:]
        return "".join(f"/{name}" for name in names) or "/", nodes[-1]

    @staticmethod
    def _inside(node: Node | None, path: str, target: str) -> Node | None:
        if node is None:
            raise stop(f"{path} is mounted")
        rest = path[len(target) :]
        if not rest:
            return node
        found = find(node, rest, follow=True) if isinstance(node, Folder) else None
        if found is None or isinstance(found, Unknown) or found[0] != rest or isinstance(found[1], Unreadable):
            raise stop(f"{path} in a mount is not known")
        return found[1]

    def changeable(self, path: str) -> str:
        """Refuse to change what is mounted, or what may have been made to mount something on."""
        if path == "/" or any(_is_in(path, target) or _is_in(target, path) for target in self.mounts):
            raise stop(f"{path} is mounted, or holds what is")
        return path

    # --- Words -------------------------------------------------------------------------------------------------------

    def is_one(self, path: str, others: Sequence[str]) -> bool:
        """Tell whether a path is the same as one of others."""
        return any(self.find(path)[0] == self.find(other)[0] for other in others)

    def look_up(self, name: str) -> None:
        """Find a program by PATH."""
        for folder in self.env.get("PATH", "").split(":"):
            if not folder.startswith("/"):
                raise stop("PATH has a folder that is not absolute")
            if self.find(f"{folder}/{name}")[1] is not None:
                self._program(f"{folder}/{name}", frozenset({name, "busybox", "coreutils"}))
                return
        raise stop(f"{name} is not in PATH")

    def expand(self, word: Word, *, pattern: bool = True) -> list[str]:
        """Give what a word stands for."""
        texts = [(self._text(part), part.quoted or part.is_variable) for part in word]
        text = "".join(text for text, _ in texts)
        if not any(not quoted and set(text) & set("*?") for text, quoted in texts):
            return [text]
        folder, _, last = text.rpartition("/")
        quoted = any(is_quoted and set(part) & set("*?[]\\") for part, is_quoted in texts)
        if not pattern or quoted or set(folder) & set("*?") or "\\" in text:
            raise stop(f"{text} is a pattern that is not followed here")
        found = self._matches(folder or ("/" if text.startswith("/") else "."), last)
        return [f"{folder}/{name}" if "/" in text else name for name in found] or [text]

    def _text(self, part: Part) -> str:
        if not part.is_variable:
            return part.text
        value = self.env.get(part.text)
        if value is None or part.text in _SET or (not part.quoted and not _PLAIN.fullmatch(value)):
            raise stop(f"${part.text} is not known")
        return value

    def _matches(self, folder: str, pattern: str) -> list[str]:
        path, node = self.find(folder)
        if not isinstance(node, Folder) or UNREADABLE in node.children:
            raise stop(f"{folder} is not known")
        if any(_is_in(target, path) and target != path for target in self.mounts):
            raise stop(f"something is mounted in {folder}")
        match = matcher(pattern).match
        found = [name for name in by_bytes(node.children) if match(name) and not name.startswith(".")]
        locales = {self.env.get(name, "") for name in ("LC_ALL", "LC_COLLATE", "LANG")}
        if len(found) > 1 and not locales <= _BY_BYTES:
            raise stop("the order of names depends on the language")
        return found

    # --- Files -------------------------------------------------------------------------------------------------------

    def read(self, path: str) -> bytes:
        """Read a file whole."""
        node = self.find(path)[1]
        if not isinstance(node, File):
            raise stop(f"{path} is no file")
        data = read_blob(node.blob, self.budget)
        if isinstance(data, Unknown):
            raise Stopped(data)
        self.budget -= len(data)
        return data

    def write(self, path: str, data: bytes, *, append: bool = False) -> None:
        """Write a file: a new one is 0644, another keeps its mode and owner."""
        real, node = self.find(path)
        old = self.read(path) if append and node is not None else b""
        self.budget -= len(data)
        if self.budget < 0:
            raise stop("it writes more than is followed here")
        metadata = Metadata(mode=0o644)
        if node is not None:
            if not isinstance(node, File) or node.metadata.xattrs or node.metadata.mode & 0o6000:
                raise stop(f"{path} is not written to here")
            metadata = node.metadata
        self.put(real, File(metadata=metadata, blob=Bytes(old + data)))

    def put(self, path: str, node: Node) -> None:
        """Put something into a place, whose folder is there."""
        parent, name = posixpath.split(self.changeable(path))
        self.editor.put(self.parent(parent), name, node)

    def parent(self, path: str) -> Folder:
        """Open the folder to put something into, whose group and rights are not inherited."""
        there = self.editor.resolve(path)[1]
        if not isinstance(there, Folder) or there.metadata is None:
            raise stop(f"{path} is no folder")
        if there.metadata.mode & 0o2000 or there.metadata.xattrs:
            raise stop(f"what is made in {path} takes over what that has")
        return self.editor.open("" if path == "/" else path)


def _is_in(path: str, folder: str) -> bool:
    """Tell whether a path is a folder or inside it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")
