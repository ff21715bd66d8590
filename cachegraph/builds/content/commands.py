"""What a RUN leaves behind all of whose commands are simple (`cachegraph.builds.content.programs`).

Nothing runs. What is taken for granted is that the image's ``/bin/sh`` is a POSIX shell, and that a program does what
POSIX says of its name. A command that fails, that reads what is not known, or that is any other makes the whole tree
unknown.
"""

from __future__ import annotations

from collections.abc import Sequence

from cachegraph.builds.content.editing import Editor, Stopped
from cachegraph.builds.content.nodes import Folder, Node
from cachegraph.builds.content.programs import carry_out, is_followed
from cachegraph.builds.content.scripts import Command, read_script
from cachegraph.builds.content.selection import clean
from cachegraph.builds.content.shell import Shell, open_question
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.content.walk import find
from cachegraph.builds.llb import Exec, Meta

__all__ = ["is_simple", "run_commands"]

Tree = Folder | Unknown

_LOADED = frozenset({"ENV", "SHELLOPTS", "BASHOPTS", "POSIXLY_CORRECT", "CDPATH", "IFS", "GLOBIGNORE"})
"""Variables that change what a shell does."""


def is_simple(operation: Exec) -> bool:
    """Tell whether a RUN's commands are simple, by its text alone.

    Parameters
    ----------
    operation : llb.Exec
    """
    return _commands(operation) is not None


def _commands(operation: Exec) -> tuple[Command, ...] | None:
    meta = operation.meta
    if meta is None or operation.cdi_devices or meta.valid_exit_codes or meta.user not in ("", "root", "0", "0:0"):
        return None
    env = _environment(meta)
    if tuple(meta.args[:2]) != ("/bin/sh", "-c") or len(meta.args) != 3:
        return None
    if _LOADED & env.keys() or any(name.startswith(("LD_", "BASH_")) for name in env):
        return None
    commands = read_script(meta.args[2])
    if commands is None or not all(map(is_followed, commands)):
        return None
    return commands


def _environment(meta: Meta) -> dict[str, str]:
    return dict(text.partition("=")[::2] for text in meta.env)


def run_commands(operation: Exec, inputs: Sequence[Tree]) -> Tree:
    """Work out what a RUN of simple commands leaves behind.

    Parameters
    ----------
    operation : llb.Exec
    inputs : sequence of Folder or Unknown
        The trees of its inputs, in order.

    Returns
    -------
    Folder or Unknown
        Unknown with ``run`` if only running it can tell.
    """
    commands = _commands(operation)
    root = next((mount for mount in operation.mounts if mount.dest == "/"), None)
    if commands is None or root is None or operation.meta is None or root.readonly or root.selector not in ("", "/"):
        return open_question("it does more than simple commands")
    tree = inputs[root.input] if 0 <= root.input < len(inputs) else open_question("it begins with nothing")
    if isinstance(tree, Unknown):
        return tree
    editor = Editor(tree)
    shell = Shell(editor=editor, env=_environment(operation.meta), cwd=clean(operation.meta.cwd))
    try:
        for mount in operation.mounts:
            if mount is not root:
                shell.mount(mount.dest, _mounted(mount.mount_type, mount.input, mount.selector, inputs))
        shell.begin()
        for command in commands:
            carry_out(shell, command)
    except Stopped as stopped:
        return stopped.unknown
    return editor.tree


def _mounted(kind: int, number: int, selector: str, inputs: Sequence[Tree]) -> Node | None:
    """Give what a mount shows; None for what cannot be known."""
    tree = inputs[number] if kind == 0 and 0 <= number < len(inputs) else None
    if tree is None or isinstance(tree, Unknown):
        return None
    found = find(tree, clean(selector), follow=True)
    return None if isinstance(found, Unknown) else found[1]
