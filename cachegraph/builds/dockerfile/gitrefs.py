"""Git repositories as ADD and contexts name them (BuildKit ``dfgitutil.ParseGitRef``, ``gitutil.ParseURL``).

::

    https://github.com/org/app.git#v1:sub      branch, tag or commit, and a folder
    https://github.com/org/app.git?tag=v1&subdir=sub
    git@github.com:org/app.git
    github.com/org/app                         a context only; in ADD it is a path
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.gotext import join, parse_bool

__all__ = ["GitRef", "parse_git"]

_SCHEME = re.compile(r"([a-zA-Z0-9]+)://")
_SCHEMES = frozenset({"http", "https", "ssh", "git"})
_SCP = re.compile(r"([a-zA-Z0-9-_]+)@([a-zA-Z0-9-.]+):([^\n]*?)(?:\?([^\n]*?))?(?:#([^\n]*))?")
_SWITCHES = frozenset({"submodules", "keep-git-dir", "fetch-by-commit"})
_TEXTS = frozenset({"ref", "tag", "branch", "subdir", "checksum", "commit", "mtime"})


@dataclass(frozen=True, slots=True, kw_only=True)
class GitRef:
    """A repository, and what of it is wanted.

    Attributes
    ----------
    remote : str
        What git is given.
    location : str
        Host and path, as BuildKit names the source.
    ref, subdir, checksum, mtime : str
        Empty where nothing is said.
    keep_git_dir, submodules : bool or None
    fetch_by_commit : bool
    looks_local : bool
        ``github.com/..`` without a scheme.
    """

    remote: str
    location: str
    ref: str = ""
    subdir: str = ""
    checksum: str = ""
    mtime: str = ""
    keep_git_dir: bool | None = None
    submodules: bool | None = None
    fetch_by_commit: bool = False
    looks_local: bool = False


def parse_git(text: str) -> GitRef | None:
    """Read a git reference; None for what is none, such as a path or the address of a file.

    Raises
    ------
    DockerfileError
        A git reference with a query that BuildKit refuses.
    """
    if text.startswith(("./", "../")):
        return None
    if text.startswith("github.com/"):
        found = _from_url(f"https://{text}", any_path=True)
        return found and replace(found, remote=found.remote.partition("://")[2], looks_local=True)
    scheme = _SCHEME.match(text)
    if scheme is not None:
        if scheme[1].lower() not in _SCHEMES:
            return None
        return _from_url(text)
    match = _SCP.fullmatch(text)
    if match is None:
        return None
    user, host, path, query, fragment = match.groups()
    remote = f"{user}@{host}:{path}"
    found = GitRef(remote=remote, location=host + join("/", path))
    return _with_query(_with_fragment(found, fragment or ""), query or "")


def _from_url(text: str, *, any_path: bool = False) -> GitRef | None:
    try:
        parts: SplitResult = urlsplit(text)
        host = parts.netloc.rpartition("@")[2]
        _ = parts.port
    except ValueError:
        return None
    path = unquote(parts.path)
    if parts.scheme in ("http", "https") and not any_path and not path.endswith(".git"):
        return None
    bare = parts._replace(query="", fragment="").geturl()
    found = GitRef(remote=bare, location=host + join("/", path))
    return _with_query(_with_fragment(found, unquote(parts.fragment)), parts.query)


def _with_fragment(found: GitRef, fragment: str) -> GitRef:
    if not fragment:
        return found
    ref, _, subdir = fragment.partition(":")
    return replace(found, ref=ref, subdir=join("/", subdir).removeprefix("/"))


def _with_query(found: GitRef, query: str) -> GitRef:
    if not query:
        return found
    values: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in values:
            raise DockerfileError(f'query "{name}" has multiple values')
        if name not in _SWITCHES | _TEXTS:
            raise DockerfileError(
                f'unexpected query "{name}"', hint="BuildKit takes ref, tag, branch, subdir, commit, .."
            )
        if not value and name not in _SWITCHES:
            raise DockerfileError(f'query "{name}" has no value')
        values[name] = value
    ref = _agree("ref", found.ref, values.get("ref", ""))
    for name, prefix in (("tag", "refs/tags/"), ("branch", "refs/heads/")):
        if values.get(name):
            full = values[name] if values[name].startswith(prefix) else prefix + values[name]
            if name == "branch" and values.get("tag"):
                raise DockerfileError("branch conflicts with tag")
            ref = _agree("ref", ref, full)
    if values.get("mtime", "checkout") not in ("checkout", "commit"):
        raise DockerfileError(f'invalid mtime value: "{values["mtime"]}" (must be "checkout" or "commit")')
    return replace(
        found,
        ref=ref,
        subdir=_agree("subdir", found.subdir, values.get("subdir", "")),
        checksum=values.get("checksum", "") or values.get("commit", ""),
        mtime=values.get("mtime", ""),
        keep_git_dir=_switch(values, "keep-git-dir"),
        submodules=_switch(values, "submodules"),
        fetch_by_commit=bool(_switch(values, "fetch-by-commit")),
    )


def _agree(name: str, one: str, other: str) -> str:
    if one and other and one != other:
        raise DockerfileError(f'{name} conflicts: "{one}" vs "{other}"')
    return one or other


def _switch(values: dict[str, str], name: str) -> bool | None:
    if name not in values:
        return None
    value = parse_bool(values[name]) if values[name] else True
    if value is None:
        raise DockerfileError(f'invalid {name} value: "{values[name]}"')
    return value
