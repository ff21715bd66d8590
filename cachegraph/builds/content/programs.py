"""The simple commands of a RUN that are followed: what each reads, prints and leaves."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from cachegraph.builds.content.modes import symbolic_mode
from cachegraph.builds.content.nodes import File, Folder, Link, Metadata, Node, with_metadata
from cachegraph.builds.content.scripts import Command
from cachegraph.builds.content.shell import Shell, stop
from cachegraph.errors import UsageError

__all__ = ["carry_out", "is_followed"]

_OCTAL = re.compile(r"[0-7]{3,4}")
_WRITTEN = {"n": "\n", "t": "\t", "\\": "\\"}


def is_followed(command: Command) -> bool:
    """Tell whether a command is one that is followed, by its name."""
    return "".join("$" if part.is_variable else part.text for part in command.words[0]) in _COMMANDS


def carry_out(shell: Shell, command: Command) -> None:
    """Do one command."""
    words = list(chain.from_iterable(shell.expand(word) for word in command.words))
    name, *arguments = words
    needs_program, do = _COMMANDS[name]
    if needs_program:
        shell.look_up(name)
    targets: list[tuple[str, bool] | None] = []
    for redirect in command.redirects:
        (path,) = shell.expand(redirect.word, pattern=False)
        if path == "/dev/null":
            targets += [None] if redirect.stream == 1 else []
        elif redirect.stream == 2 or targets:
            raise stop("only the output of a command is followed, to one file")
        else:
            # The file is there, and empty, before the command begins.
            if not redirect.append:
                shell.write(path, b"")
            targets.append((path, redirect.append))
    if targets and name not in _PRINTS:
        raise stop(f"{name} prints nothing, and may take away what it prints to")
    if name == "cat" and any(target and shell.is_one(target[0], arguments) for target in targets):
        raise stop("cat writes to what it reads")
    output = do(shell, arguments)
    if targets and targets[-1] is not None:
        shell.write(targets[-1][0], output, append=True)


def _nothing(_: Shell, arguments: Sequence[str]) -> bytes:
    del arguments
    return b""


def _set(_: Shell, arguments: Sequence[str]) -> bytes:
    if any(not re.fullmatch(r"-[eu]+", one) for one in arguments):
        raise stop("set changes the shell")
    return b""


def _echo(_: Shell, arguments: Sequence[str]) -> bytes:
    newline = not (arguments and arguments[0] == "-n")
    words = arguments if newline else arguments[1:]
    if any("\\" in word for word in words) or (words and words[0].startswith("-")):
        raise stop("shells differ in what echo makes of this")
    return (" ".join(words) + "\n" * newline).encode(errors="surrogateescape")


def _printf(_: Shell, arguments: Sequence[str]) -> bytes:
    if len(arguments) != 1 or "%" in arguments[0] or arguments[0].startswith("-"):
        raise stop("a format is not followed here")

    def written(found: re.Match[str]) -> str:
        if found[1] not in _WRITTEN:
            raise stop("an escape is not followed here")
        return _WRITTEN[found[1]]

    return re.sub(r"\\(.?)", written, arguments[0]).encode(errors="surrogateescape")


def _cat(shell: Shell, arguments: Sequence[str]) -> bytes:
    _options(arguments, "", least=1)
    return b"".join(shell.read(path) for path in arguments)


def _cd(shell: Shell, arguments: Sequence[str]) -> bytes:
    _options(arguments, "", least=1, most=1)
    path, node = shell.find(arguments[0])
    if not isinstance(node, Folder):
        raise stop(f"{arguments[0]} is no folder")
    shell.cwd = path
    return b""


def _mkdir(shell: Shell, arguments: Sequence[str]) -> bytes:
    options, paths = _options(arguments, "p", least=1)
    for path in paths:
        real, node = shell.find(path)
        if isinstance(node, Folder) and "p" in options:
            continue
        if node is not None:
            raise stop(f"{path} is there")
        missing = [real]
        while "p" in options and shell.find(posixpath.dirname(missing[-1]))[1] is None:
            missing.append(posixpath.dirname(missing[-1]))
        for one in reversed(missing):
            parent, name = posixpath.split(shell.changeable(one))
            shell.editor.add(shell.parent(parent), name, Metadata(mode=0o755))
    return b""


def _rm(shell: Shell, arguments: Sequence[str]) -> bytes:
    options, paths = _options(arguments, "rRf", least=1)
    for path in paths:
        folder, name = _entry(shell, path)
        node = _child(shell, folder, name)
        if node is None and "f" in options:
            continue
        if node is None or (isinstance(node, Folder) and not options & {"r", "R"}):
            raise stop(f"{path} cannot be removed")
        shell.changeable(f"{folder.rstrip('/')}/{name}")
        shell.editor.drop(shell.parent(folder), name)
    return b""


def _touch(shell: Shell, arguments: Sequence[str]) -> bytes:
    _options(arguments, "", least=1)
    for path in arguments:
        if shell.find(path)[1] is None:
            shell.write(path, b"")
    return b""


def _chmod(shell: Shell, arguments: Sequence[str]) -> bytes:
    _options(arguments, "", least=2)
    text, *paths = arguments
    for path in paths:
        real, node = shell.find(path)
        if not isinstance(node, File | Folder) or node.metadata is None:
            raise stop(f"{path} is not there")
        shell.put(real, with_metadata(node, replace(node.metadata, mode=_mode(text, node))))
    return b""


def _ln(shell: Shell, arguments: Sequence[str]) -> bytes:
    options, words = _options(arguments, "s", least=2, most=2)
    folder, name = _entry(shell, words[1])
    if "s" not in options or _child(shell, folder, name) is not None:
        raise stop("only a new symbolic link is followed here")
    shell.put(f"{folder.rstrip('/')}/{name}", Link(metadata=Metadata(mode=0o777), target=words[0]))
    return b""


def _cp(shell: Shell, arguments: Sequence[str]) -> bytes:
    _options(arguments, "", least=2)
    *sources, target = arguments
    for source in sources:
        data = shell.read(source)
        node = shell.find(source)[1]
        path = _target(shell, source, target, several=len(sources) > 1)
        there = shell.find(path)[1]
        if shell.is_one(path, (source,)):
            raise stop(f"{source} is copied onto itself")
        shell.write(path, data)
        if there is None and isinstance(node, File):
            real, made = shell.find(path)
            if isinstance(made, File):
                shell.put(real, with_metadata(made, Metadata(mode=node.metadata.mode & 0o755)))
    return b""


def _mv(shell: Shell, arguments: Sequence[str]) -> bytes:
    _options(arguments, "", least=2)
    *sources, target = arguments
    for source in sources:
        folder, name = _entry(shell, source)
        node = _child(shell, folder, name)
        path, there = shell.find(_target(shell, source, target, several=len(sources) > 1))
        if not isinstance(node, File) or there is not None or shell.parent(folder) is None:
            raise stop(f"{source} is not moved here")
        shell.changeable(f"{folder.rstrip('/')}/{name}")
        shell.put(path, node)
        shell.editor.drop(shell.parent(folder), name)
    return b""


def _target(shell: Shell, source: str, target: str, *, several: bool) -> str:
    """Give where something is copied to: into a folder that is there, else to that name."""
    node = shell.find(target)[1]
    if isinstance(node, Folder):
        return f"{target}/{posixpath.basename(source.rstrip('/'))}"
    if several or target.endswith("/"):
        raise stop(f"{target} is no folder")
    return target


def _entry(shell: Shell, path: str) -> tuple[str, str]:
    """Give the folder and name of a path, a link at its end not followed."""
    above, name = posixpath.split(path.rstrip("/"))
    if name in ("", ".", ".."):
        raise stop(f"{path} is not followed here")
    folder, node = shell.find(above or ("/" if path.startswith("/") else "."))
    if node is not None and not isinstance(node, Folder):
        raise stop(f"{path} is no folder")
    shell.find(f"{folder.rstrip('/')}/{name}")  # nothing that is mounted
    return folder, name


def _child(shell: Shell, folder: str, name: str) -> Node | None:
    node = shell.editor.resolve(folder)[1]
    return shell.editor.get(node, name) if isinstance(node, Folder) else None


def _options(
    arguments: Sequence[str], known: str, *, least: int, most: int | None = None
) -> tuple[set[str], Sequence[str]]:
    """Take options in front of what a command works on."""
    options: set[str] = set()
    rest = list(arguments)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        options |= set(rest.pop(0)[1:])
    if options - set(known) or len(rest) < least or len(rest) > (most or len(rest)):
        raise stop("an option is not followed here")
    if any(word.startswith("-") for word in rest):
        raise stop("an option is not followed here")
    return options, rest


def _mode(text: str, node: File | Folder) -> int:
    if _OCTAL.fullmatch(text):
        mode = int(text, 8)
        # GNU's chmod keeps a folder's set-group-id, busybox's does not.
        if isinstance(node, Folder) and node.metadata and node.metadata.mode & 0o6000:
            raise stop("programs differ in what chmod makes of this")
        return mode
    if not re.fullmatch(r"[ugoa]+[-+=][rwx]+|\+[rx]+", text):
        raise stop("a mode is not followed here")
    try:
        return symbolic_mode(text)(node.metadata.mode if node.metadata else 0, isinstance(node, Folder))
    except UsageError as error:
        raise stop("a mode is not followed here") from error


_PRINTS = frozenset({"echo", "printf", "cat", ":", "true"})

_Do = Callable[[Shell, Sequence[str]], bytes]
_COMMANDS: Mapping[str, tuple[bool, _Do]] = {
    ":": (False, _nothing),
    "true": (False, _nothing),
    "set": (False, _set),
    "echo": (False, _echo),
    "printf": (False, _printf),
    "cd": (False, _cd),
    "cat": (True, _cat),
    "mkdir": (True, _mkdir),
    "rm": (True, _rm),
    "touch": (True, _touch),
    "chmod": (True, _chmod),
    "ln": (True, _ln),
    "cp": (True, _cp),
    "mv": (True, _mv),
}
"""Commands that are followed, and whether they are programs and not the shell's own."""
