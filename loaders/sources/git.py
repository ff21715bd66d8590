"""The running of git: which commit a name means, with nothing of a repository run.

::

    git ls-remote --symref -- URL REF REF^{}       <commit>  <name of the reference>

No hooks, no filters, no questions, no other transport than http, https, ssh and git.
Source: BuildKit ``source/git/source.go``.
"""

from __future__ import annotations

import os
import re
import subprocess

from cachegraph.errors import NotFoundError, SourceError

__all__ = ["SAFE", "is_commit", "list_remote", "run_git"]

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
SAFE = {
    "GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND", "ssh -oBatchMode=yes"),
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "http:https:ssh:git",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}
"""What git is told by its environment, beside the user's own."""


def is_commit(text: str) -> bool:
    """Tell a whole commit hash from a name."""
    return _COMMIT.fullmatch(text) is not None


def run_git(*arguments: str, folder: str | os.PathLike[str] | None = None, timeout: float = 60.0) -> bytes:
    """Run git, and give what it writes.

    Raises
    ------
    NotFoundError
        There is no git here.
    SourceError
        It failed, or took too long. The message has git's own last line, without users and passwords.
    """
    command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "credential.interactive=false", *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - git, with options of ours; what users say stands behind "--"
            command,
            cwd=folder,
            env=os.environ | SAFE,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError:
        raise NotFoundError("git is not installed", hint="install it to ask repositories") from None
    except subprocess.TimeoutExpired:
        raise SourceError(f"git {arguments[0]} took more than {timeout:g} seconds") from None
    except (OSError, ValueError) as error:
        raise SourceError(f"git {arguments[0]}: {error}") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        message = re.sub(r"//[^/@\s]*@", "//***@", said[-1]) if said else f"exit code {done.returncode}"
        raise SourceError(f"git {arguments[0]}: {message}")
    return done.stdout


def list_remote(remote: str, *patterns: str, timeout: float = 60.0) -> dict[str, str]:
    """Ask a remote repository for its references.

    Returns
    -------
    dict of str to str
        Commits by name. Where a name stands for a branch, as ``HEAD`` does, ``HEAD@`` says which.
    """
    found = {}
    for line in run_git("ls-remote", "--symref", "--", remote, *patterns, timeout=timeout).decode().splitlines():
        value, _, name = line.partition("\t")
        found[f"{name}@" if value.startswith("ref: ") else name] = value.removeprefix("ref: ")
    return found
