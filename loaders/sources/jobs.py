"""What a build is asked for, in the words of its user: a context, a Dockerfile, arguments, named contexts.

::

    --build-context alpine=docker-image://alpine:3     "context:alpine" = "docker-image://alpine:3"
    --build-context src=./lib                          "context:src" = "local:src", and the folder ./lib
    --build-context base=oci-layout://./layout:1       "context:base" = "oci-layout://./layout@sha256:.."
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cachegraph.builds.content.ignore import IgnoreFile, find_ignore_file
from cachegraph.builds.content.local import local_tree
from cachegraph.builds.content.nodes import File, Folder, read_blob
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.content.walk import find
from cachegraph.builds.dockerfile.contexts import Contexts
from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.gitrefs import parse_git
from cachegraph.builds.dockerfile.lines import MAX_BYTES
from cachegraph.builds.dockerfile.options import BuildOptions, read_options
from cachegraph.builds.dockerfile.platforms import normalize, parse_platform
from cachegraph.builds.dockerfile.references import parse_reference
from cachegraph.builds.images import Images
from cachegraph.builds.llb import Platform
from cachegraph.builds.operations import GitOrigin
from cachegraph.errors import NotFoundError, SourceError, UsageError
from cachegraph.loaders.sources.remotes import RemoteSources
from cachegraph.loaders.sources.stores import open_store

__all__ = ["BuildJob", "Written", "make_job", "read_dockerfile"]

_REMOTE = ("docker-image://", "http://", "https://", "git://", "ssh://", "git@", "input:", "target:", "local:")
_LAYOUT = "oci-layout://"
_INLINE = "dockerfile-inline"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildJob:
    """A build.

    Attributes
    ----------
    options : BuildOptions
    context, dockerfile : pathlib.Path or None
        None where the context is a repository.
    folders : mapping of str to str
        Folders of the client by the name that BuildKit gives them.
    inline : str or None
        The Dockerfile's text, where it is in no file; then ``dockerfile`` is None.
    """

    options: BuildOptions
    context: Path | None
    dockerfile: Path | None
    folders: Mapping[str, str]
    inline: str | None = None

    @property
    def name(self) -> str:
        """What errors call the Dockerfile: its path as seen from the context, where it is in there."""
        if self.inline is not None:
            return _INLINE
        if self.dockerfile is None:
            return self.options.filename
        if self.context is not None and self.dockerfile.is_relative_to(self.context):
            return self.dockerfile.relative_to(self.context).as_posix()
        return self.dockerfile.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A Dockerfile's bytes, and what is left out of the context."""

    data: bytes
    ignored: IgnoreFile = field(default_factory=IgnoreFile)


def make_job(
    context: str | os.PathLike[str],
    *,
    dockerfile: str | os.PathLike[str] | None = None,
    target: str | None = None,
    platform: str | Sequence[str] | None = None,
    build_args: Mapping[str, str] | None = None,
    build_contexts: Mapping[str, str | os.PathLike[str]] | None = None,
    options: Mapping[str, str] | None = None,
    builder: str | None = None,
    inline: str | None = None,
) -> BuildJob:
    """Put together what a build is asked for; see `cachegraph.building.build` for the parameters.

    Raises
    ------
    UsageError
        An option that BuildKit refuses, or a context that cannot be read before the build.
    """
    given = dict(options or {})
    if target is not None:
        given["target"] = target
    if platform is not None:
        given["platform"] = platform if isinstance(platform, str) else ",".join(platform)
    given |= {f"build-arg:{name}": value for name, value in (build_args or {}).items()}
    folders: dict[str, str] = {}
    for name, value in (build_contexts or {}).items():
        key = _context_name(name)
        given[f"context:{key}"] = _context_value(key, os.fspath(value), folders)
    # Of buildctl's options, one can name the context.
    named = given.get(given.get("contextkey", "context"), "")
    place = named or os.fspath(context)
    is_git = parse_git(place) is not None
    if is_git:
        given["context"] = place
        if dockerfile is not None and not named:
            given["filename"] = posixpath.normpath(os.fspath(dockerfile))
    elif place.startswith(("http://", "https://")):
        raise UsageError(f"{place}: an archive as context cannot be read before the build", hint="unpack it first")
    read = read_options(given, _platform(builder))
    if is_git:
        return BuildJob(options=read, context=None, dockerfile=None, folders=folders, inline=inline)
    folder = Path(place)
    folders["context"] = str(folder)
    if inline is not None:
        return BuildJob(options=read, context=folder, dockerfile=None, folders=folders, inline=inline)
    found = _dockerfile(folder, dockerfile, read.filename)
    return BuildJob(options=read, context=folder, dockerfile=found, folders=folders)


def _platform(text: str | None) -> Platform | None:
    try:
        return normalize(parse_platform(text)) if text else None
    except DockerfileError as error:
        raise UsageError(f"builder {text}: {error.reason}", hint=error.hint) from None


def _context_name(name: str) -> str:
    """Write the name of a context as buildx does."""
    short, separator, platform = name.partition("::")
    try:
        short = parse_reference(short).familiar.removesuffix(":latest")
    except DockerfileError as error:
        raise UsageError(f"{name}: {error.reason}", hint="a named context is called like an image") from None
    return short + separator + platform


def _context_value(name: str, value: str, folders: dict[str, str]) -> str:
    if value.startswith(_LAYOUT):
        return value if "@" in value else _LAYOUT + _layout_digest(value.removeprefix(_LAYOUT))
    if value.startswith(_REMOTE) or parse_git(value) is not None:
        return value
    folders[name] = value
    return f"local:{name}"


def _layout_digest(text: str) -> str:
    """Pin ``PATH[:TAG]`` to the digest that the layout's index says."""
    path, tag = (text, "latest") if Path(text).exists() else text.rpartition(":")[::2]
    digest = open_store(Path(path)).tagged(tag)
    if digest is None:
        raise NotFoundError(f"{path} has no image with the tag {tag}", hint="write oci-layout://PATH@DIGEST")
    return f"{path}@{digest}"


def _dockerfile(context: Path, dockerfile: str | os.PathLike[str] | None, name: str) -> Path:
    """Find the Dockerfile: as given, else in the context."""
    if dockerfile is None:
        path = context / name
        # BuildKit takes the name in lower case as well.
        lower = path.with_name(path.name.lower())
        return lower if path.name == "Dockerfile" and not path.exists() and lower.exists() else path
    path = Path(dockerfile)
    if not path.exists() and not path.is_absolute() and (context / path).exists():
        path = context / path
    return path / name if path.is_dir() else path


def read_dockerfile(job: BuildJob, images: Images, remotes: RemoteSources) -> Written:
    """Read the Dockerfile, and the ignore file that BuildKit takes.

    Raises
    ------
    SourceError
        It is not there, or cannot be read.
    """
    if job.inline is not None:
        # buildx writes it to a folder of its own, where no other ignore file lies beside it (``createTempDockerfile``).
        ignored = find_ignore_file(local_tree(job.context), name="") if job.context is not None else IgnoreFile()
        return Written(data=job.inline.encode(), ignored=ignored)
    if job.dockerfile is None or job.context is None:
        return Written(data=_read_remote(job, images, remotes))
    try:
        with job.dockerfile.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise NotFoundError(f"{job.dockerfile}: no such Dockerfile", hint="name it with dockerfile= (-f)") from None
    except (OSError, ValueError) as error:
        raise SourceError(f"{job.dockerfile}: {getattr(error, 'strerror', error)}") from None
    context = local_tree(job.context)
    if job.dockerfile.is_relative_to(job.context):
        ignored = find_ignore_file(context, name=job.dockerfile.relative_to(job.context).as_posix())
    else:
        ignored = find_ignore_file(context, local_tree(job.dockerfile.parent), job.dockerfile.name)
    return Written(data=data, ignored=ignored)


def _read_remote(job: BuildJob, images: Images, remotes: RemoteSources) -> bytes:
    """Read the Dockerfile of a repository."""
    origin = getattr(Contexts(options=job.options, images=images).main(set()), "origin", None)
    if not isinstance(origin, GitOrigin):
        raise UsageError(f"{job.options.context}: only a whole repository can be read before the build")
    tree = remotes.repository(replace(origin, mtime="", keep_git_dir=False))
    data = tree if isinstance(tree, Unknown) else _file(tree, job.options.filename)
    if data is None:
        raise NotFoundError(f"{job.options.context} has no {job.options.filename}", hint="name it with dockerfile=")
    if isinstance(data, Unknown):
        raise SourceError(f"{job.options.context}: {data.reason}")
    return data


def _file(tree: Folder, path: str) -> bytes | Unknown | None:
    found = find(tree, f"/{path}", follow=True)
    if isinstance(found, Unknown):
        return found
    return read_blob(found[1].blob, MAX_BYTES) if isinstance(found[1], File) else None
