"""What a stage begins with: an image, a named context, nothing (BuildKit ``dockerfile2llb``: ``resolveBaseImage``)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cachegraph.builds import llb
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.dockerfile.checks import Checks
from cachegraph.builds.dockerfile.contexts import Contexts, Loaded
from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.platforms import normalize
from cachegraph.builds.dockerfile.references import parse_reference
from cachegraph.builds.dockerfile.stages import StageState
from cachegraph.builds.dockerfile.states import State
from cachegraph.builds.dockerfile.vertices import SourceVertex
from cachegraph.builds.images import ImageConfig
from cachegraph.builds.operations import ImageOrigin, Label

__all__ = ["PATH", "Bases"]

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where programs are looked for if the image does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bases:
    """Resolves the bases of stages that stand on no other.

    Attributes
    ----------
    contexts : Contexts
    target : llb.Platform
        The platform that is built for.
    asked : llb.Platform or None
        The same, if the user asked for it.
    checks : Checks
    """

    contexts: Contexts
    target: llb.Platform
    asked: llb.Platform | None
    checks: Checks

    def resolve(self, state: StageState, needed: bool) -> None:
        """Resolve one; of a stage that is not needed, only the name must be one.

        Raises
        ------
        DockerfileError
        """
        try:
            if state.base_name == "scratch" and state.context is None:
                state.platform = self.target
                state.image = _empty_image(self.target)
            elif needed:
                self._resolve(state)
            else:
                parse_reference(state.base_name)
        except DockerfileError as error:
            raise error.at(state.line) from None
        if state.is_unnamed:
            state.is_ready = True

    def _resolve(self, state: StageState) -> None:
        reference = str(parse_reference(state.base_name).with_tag())
        platform = state.platform or self.target
        if state.context is not None:
            _take_place(state, self.contexts.load(state.context, state.paths))
            return
        context = self.contexts.find(reference, platform, self.asked)
        if context is None:
            self._resolve_image(state, reference, platform)
            return
        loaded = self.contexts.load(context, state.paths)
        state.image = loaded.config or _empty_image(platform)
        state.state = replace(loaded.state, platform=normalize(platform))
        state.platform = platform

    def _resolve_image(self, state: StageState, reference: str, platform: llb.Platform) -> None:
        found = self.contexts.resolve(reference, platform)
        vertex = SourceVertex(
            label=Label(name=f"FROM {state.base_name}", stage=state.title, start=state.line, end=state.stage.place.end),
            identifier=f"docker-image://{reference}",
        )
        unknown = found if isinstance(found, Unknown) else found.config
        if not isinstance(found, Unknown) and isinstance(found.config, ImageConfig):
            platform = self._platform(state, found.config, platform)
            state.image = found.config
        state.platform = platform
        vertex.platform = normalize(platform)
        if isinstance(found, Unknown):
            vertex.unknown = found
        else:
            pinned = str(parse_reference(reference).with_digest(found.digest))
            vertex.identifier = f"docker-image://{pinned}"
            vertex.origin = ImageOrigin(reference=pinned, digest=found.digest, platform=normalize(platform))
            if self.contexts.options.resolve_mode:
                vertex.attributes = {"image.resolvemode": self.contexts.options.resolve_mode}
        if isinstance(unknown, Unknown):
            state.state = State(output=vertex, platform=vertex.platform, unknown=unknown)
        elif state.image.layers:
            state.state = State(output=vertex, platform=vertex.platform)

    def _platform(self, state: StageState, config: ImageConfig, platform: llb.Platform) -> llb.Platform:
        """Take an image's own platform where none was asked for and the builder runs it (``autoDetectPlatform``)."""
        own = (config.platform.os, config.platform.architecture)
        builder = self.contexts.options.builder
        if state.platform is None and self.asked is None and own == (builder.os, builder.architecture):
            platform = builder
        if config.layers and own != (platform.os, platform.architecture):
            self.checks.report("InvalidBaseImagePlatform", state.line)
        return platform


def _take_place(state: StageState, loaded: Loaded) -> None:
    """Put a context in the place of a whole stage."""
    state.is_ready = True
    state.state = loaded.state
    if loaded.config is not None:
        state.image = loaded.config
        if loaded.config.platform.os and loaded.config.platform.architecture:
            state.platform = loaded.config.platform


def _empty_image(platform: llb.Platform) -> ImageConfig:
    env = () if platform.os == "windows" else (f"PATH={PATH}",)
    return ImageConfig(platform=platform, env=env, working_dir="/")
