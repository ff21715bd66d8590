"""The build context and named contexts (BuildKit ``frontend/dockerui/context.go`` and ``namedcontext.go``).

::

    --build-context alpine=docker-image://alpine:3     takes the place of an image or a stage
    --build-context src=./lib                          "local:src", a folder of the client
    --build-context src=https://github.com/a/b.git#v1  a repository, or the address of a file
    --build-context base=oci-layout://store@sha256:..  an image in a layout
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cachegraph.builds import llb
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.gitrefs import GitRef, parse_git
from cachegraph.builds.dockerfile.gotext import join
from cachegraph.builds.dockerfile.options import BuildOptions
from cachegraph.builds.dockerfile.platforms import default_platform, format_platform, normalize
from cachegraph.builds.dockerfile.references import parse_reference
from cachegraph.builds.dockerfile.states import State
from cachegraph.builds.dockerfile.vertices import FileStep, FileVertex, LocalVertex, SourceVertex, Vertex
from cachegraph.builds.images import ImageConfig, Images, ResolvedImage
from cachegraph.builds.operations import GitOrigin, HttpOrigin, ImageOrigin, Label, LocalOrigin
from cachegraph.errors import NotFoundError

__all__ = ["Contexts", "Loaded", "NamedContext", "git_vertex", "http_vertex"]

_HTTP = re.compile(r"https?://")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedContext:
    """A named context that is wanted: its name, with its platform where only that is given, and what it stands for."""

    name: str
    value: str
    platform: llb.Platform | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A named context, ready for use; without a config it is no image."""

    state: State
    config: ImageConfig | None = None


def git_vertex(git: GitRef, label: Label, *, keep: bool = False, mtime: str = "", checksum: str = "") -> SourceVertex:
    """Make a repository (``llb.Git``)."""
    checksum = checksum or git.checksum
    origin = GitOrigin(
        remote=git.remote if "://" in git.remote or "@" in git.remote else f"https://{git.remote}",
        ref=git.ref,
        subdir=git.subdir,
        checksum=checksum,
        mtime=mtime or git.mtime,
        keep_git_dir=keep or bool(git.keep_git_dir),
        skip_submodules=git.submodules is False,
        fetch_by_commit=git.fetch_by_commit,
    )
    identifier = f"git://{git.location}"
    if git.ref or git.subdir:
        identifier += f"#{git.ref}" + (f":{git.subdir}" if git.subdir else "")
    attributes = {
        "git.fullurl": origin.remote,
        "git.keepgitdir": "true" if origin.keep_git_dir else "",
        "git.checksum": checksum,
        "git.mtime": origin.mtime,
        "git.skipsubmodules": "true" if origin.skip_submodules else "",
        "git.fetchbycommit": "true" if origin.fetch_by_commit else "",
    }
    attributes = {name: value for name, value in attributes.items() if value}
    return SourceVertex(label=label, identifier=identifier, attributes=attributes, origin=origin)


def http_vertex(url: str, filename: str, label: Label, checksum: str = "") -> SourceVertex:
    """Make a file behind an address (``llb.HTTP``)."""
    attributes = {"http.filename": filename} | ({"http.checksum": checksum} if checksum else {})
    origin = HttpOrigin(url=url, filename=filename, checksum=checksum)
    return SourceVertex(label=label, identifier=url, attributes=attributes, origin=origin)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contexts:
    """What stands for the names that a Dockerfile takes files from.

    Attributes
    ----------
    options : BuildOptions
    images : Images
    folders : mapping of str to str
        Folders of the client, by the name that BuildKit gives them.
    """

    options: BuildOptions
    images: Images
    folders: Mapping[str, str] = field(default_factory=dict)

    def find(self, name: str, platform: llb.Platform | None, target: llb.Platform | None) -> NamedContext | None:
        """Look for a named context in the place of a stage or an image.

        Parameters
        ----------
        name : str
        platform : llb.Platform, optional
            That the stage asks for.
        target : llb.Platform, optional
            That the build asks for.

        Raises
        ------
        DockerfileError
            The name is no image reference.
        """
        if name.lower() in ("scratch", "context"):
            return None
        platform = platform or target
        short = parse_reference(name).familiar.removesuffix(":latest")
        full = f"{short}::{format_platform(normalize(platform or default_platform()))}"
        for key in (full, short):
            if key in self.options.contexts:
                return NamedContext(name=key, value=self.options.contexts[key], platform=platform)
        return None

    def load(self, context: NamedContext, paths: set[str]) -> Loaded:
        """Load a named context.

        Parameters
        ----------
        context : NamedContext
        paths : set of str
            The paths that will be taken from it; may still grow.

        Raises
        ------
        DockerfileError
            What BuildKit refuses.
        """
        kind, colon, rest = context.value.partition(":")
        if not colon:
            raise DockerfileError(f"invalid context specifier {context.value} for {context.name}")
        match "git" if kind.startswith("git@") else kind:
            case "docker-image":
                return self._image(context, rest.removeprefix("//"))
            case "git" | "http" | "https":
                return self._remote(context)
            case "oci-layout":
                return self._layout(context, rest.removeprefix("//"))
            case "local":
                return self._local(context, rest, paths)
            case "input":
                label = Label(name=f"[context {context.name}] {context.value}")
                unknown = Unknown(
                    because="remote", reason=f"context {context.name} is the result of another build, {rest}"
                )
                return Loaded(
                    state=State(
                        output=SourceVertex(label=label, identifier=context.value, unknown=unknown), unknown=unknown
                    )
                )
        raise DockerfileError(f"unsupported context source {kind} for {context.name}")

    def _image(self, context: NamedContext, text: str) -> Loaded:
        if text == "scratch":
            return Loaded(state=State())
        reference = str(parse_reference(text).with_tag())
        vertex = SourceVertex(
            label=Label(name=f"[context {context.name}] {text}"),
            identifier=f"docker-image://{reference}",
            platform=context.platform and normalize(context.platform),
        )
        platform = context.platform or self.options.builder
        return _loaded(self.resolve(reference, platform), vertex, reference, platform)

    def _layout(self, context: NamedContext, text: str) -> Loaded:
        store, _, digest = text.rpartition("@")
        if not store:
            raise DockerfileError(
                f'oci-layout reference "{text}" has no digest', hint="write oci-layout://PATH@sha256:.."
            )
        reference = str(parse_reference(context.name.partition("::")[0]).with_digest(digest))
        vertex = SourceVertex(
            label=Label(name=f"[context {context.name}] OCI load from client"),
            identifier=f"oci-layout://{reference}",
            attributes={"oci.store": store},
            platform=context.platform and normalize(context.platform),
        )
        platform = context.platform or self.options.builder
        try:
            found = self.images.resolve_layout(store, digest, platform)
        except NotFoundError as error:
            raise DockerfileError(error.message, hint=error.hint) from None
        return _loaded(found, vertex, reference, platform, store)

    def resolve(self, reference: str, platform: llb.Platform) -> ResolvedImage | Unknown:
        """Find an image.

        Raises
        ------
        DockerfileError
            There is none, or none for the platform.
        """
        try:
            return self.images.resolve(reference, platform)
        except NotFoundError as error:
            raise DockerfileError(error.message, hint=error.hint) from None

    def _remote(self, context: NamedContext) -> Loaded:
        git = parse_git(context.value)
        if git is not None:
            return Loaded(
                state=State(output=git_vertex(git, Label(name=f"[internal] load git source {context.value}")))
            )
        if not _HTTP.match(context.value):
            raise DockerfileError(f"invalid git context {context.value}")
        label = Label(name=f"[context {context.name}] {context.value}")
        return Loaded(state=State(output=http_vertex(context.value, "context", label)))

    def _local(self, context: NamedContext, name: str, paths: set[str]) -> Loaded:
        vertex = LocalVertex(
            label=Label(name=f"[context {context.name}] load from client"),
            identifier=f"local://{name}",
            attributes={"local.sharedkeyhint": f"context:{context.name}-"},
            origin=LocalOrigin(name=name, folder=self.folders.get(name, "")),
            paths=paths,
        )
        return Loaded(state=State(output=vertex))

    def main(self, paths: set[str]) -> Vertex:
        """Make the build context.

        Raises
        ------
        DockerfileError
        """
        text = self.options.context
        git = parse_git(text) if text else None
        vertex: Vertex
        if git is not None:
            mtime = "commit" if self.options.build_args.get("SOURCE_DATE_EPOCH") else ""
            label = Label(name=f"[internal] load git source {text}")
            # What the address itself says of the time of files comes last, and counts.
            vertex = git_vertex(git, label, keep=self.options.keep_git_dir, mtime=git.mtime or mtime)
        elif _HTTP.match(text):
            vertex = http_vertex(text, "context", Label(name="[internal] load remote build context"))
        else:
            return LocalVertex(
                label=Label(name="[internal] load build context"),
                identifier="local://context",
                attributes={"local.sharedkeyhint": "context"},
                origin=LocalOrigin(name="context", folder=self.folders.get("context", "")),
                paths=paths,
            )
        return vertex if self.options.context_subdir is None else _below(vertex, self.options.context_subdir)


def _loaded(
    found: ResolvedImage | Unknown,
    vertex: SourceVertex,
    reference: str,
    platform: llb.Platform,
    layout: str | None = None,
) -> Loaded:
    """Go on with an image: its variables, folder and platform (``State.WithImageConfig``)."""
    state = State(output=vertex, platform=vertex.platform)
    if isinstance(found, Unknown):
        vertex.unknown = found
        return Loaded(state=replace(state, unknown=found))
    vertex.origin = ImageOrigin(reference=reference, digest=found.digest, platform=normalize(platform), layout=layout)
    if isinstance(found.config, Unknown):
        return Loaded(state=replace(state, unknown=found.config))
    config = found.config
    variables = (entry.partition("=") for entry in config.env)
    state = state.with_env((name, value) for name, _, value in variables if name)
    if config.platform.os and config.platform.architecture:
        state = replace(state, platform=normalize(config.platform))
    return Loaded(state=replace(state, folder=join("/", config.working_dir)), config=config)


def _below(vertex: Vertex, folder: str) -> Vertex:
    """Narrow a remote context to a folder in it (``scopeToSubDir``)."""
    copy = llb.Copy(src=folder, dest="/", mode=-1, dir_copy_contents=True, timestamp=-1)
    step = FileStep(action=llb.AnyAction(copy=copy), source=vertex)
    return FileVertex(label=Label(name="[internal] narrow the context"), steps=(step,))
