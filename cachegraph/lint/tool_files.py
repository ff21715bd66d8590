"""Builds of ``devcontainer.json`` and Skaffold.

Sources: the Dev Container metadata reference ("build"); Skaffold's ``skaffold.yaml`` reference ("docker").
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cachegraph.lint.commands import builds_in
from cachegraph.lint.documents import Tree
from cachegraph.lint.drafts import BuildDraft, SettingsDraft
from cachegraph.lint.entries import entries_of
from cachegraph.lint.model import Build, Entry, Runner
from cachegraph.lint.session import Session
from cachegraph.lint.shell import Command, Word
from cachegraph.lint.values import Place

__all__ = ["read_devcontainer", "read_skaffold", "without_comments"]

_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*+"|//[^\n]*|/\*(?:[^*]|\*(?!/))*+\*/')
_DEV_VARIABLE = re.compile(r"\$\{([^{}]{1,200})\}")
_GO_TEMPLATE = re.compile(r"\{\{([^{}]{0,200})\}\}")


def without_comments(text: str) -> str:
    """Replace the comments of JSON with comments by blanks; lines stay."""
    return _COMMENT.sub(lambda found: found[0] if found[0][0] == '"' else re.sub(r"[^\n]", " ", found[0]), text)


def read_devcontainer(session: Session, file: str, tree: Tree) -> None:
    """Read ``build`` of a dev container."""
    build = tree.get("build")
    if not build.is_mapping:
        return
    reader = _Reader(session, file)
    settings = SettingsDraft()
    entries: list[Entry] = []
    for key, name in (("dockerfile", "dockerfile"), ("context", "context"), ("target", "target")):
        if value := build.get(key):
            settings.put(name, session.holes.value(reader.dev(value.text), reader.at(value, f"build.{key}")))
    for name, value in build.get("args").items():
        settings.pair("args", name, session.holes.value(reader.dev(value.text), reader.at(value, f"build.args.{name}")))
    for position, one in enumerate(build.get("cacheFrom").elements()):
        place = reader.at(one, f"build.cacheFrom[{position}]")
        entries += entries_of(session.holes, "from", reader.dev(one.text), place, written=one.text)
    made = reader.options(build.get("options"), "build.options", devcontainer=True)
    if made is not None:
        entries += made.entries
    session.builds.append(
        Build(
            runner=Runner(kind="devcontainer"),
            place=reader.at(build, "build"),
            kind="devcontainer",
            name=tree.get("name").text,
            entries=tuple(entries),
            settings=settings.made(),
        )
    )


def read_skaffold(session: Session, file: str, trees: list[Tree]) -> None:
    """Read the artifacts that Docker builds, of the pipeline and of its profiles."""
    reader = _Reader(session, file)
    for tree in trees:
        for path, owner in (("build", tree.get("build")), *_profiles(tree)):
            for position, artifact in enumerate(owner.get("artifacts").elements()):
                docker = artifact.get("docker")
                if docker.is_mapping:
                    where = f"{path}.artifacts[{position}]"
                    session.builds.append(reader.artifact(artifact, docker, where))


def _profiles(tree: Tree) -> Iterator[tuple[str, Tree]]:
    for position, profile in enumerate(tree.get("profiles").elements()):
        yield f"profiles[{position}].build", profile.get("build")


class _Reader:
    def __init__(self, session: Session, file: str) -> None:
        self._session = session
        self._file = file
        self._budget = session.budget(file)

    def at(self, tree: Tree, path: str) -> Place:
        """Give the place of a node."""
        return Place(file=self._file, line=tree.line, path=path)

    def dev(self, text: str) -> str:
        """Fill in ``${localEnv:NAME:default}``."""

        def use(found: re.Match[str]) -> str:
            kind, _, rest = found[1].partition(":")
            name, colon, default = rest.partition(":")
            if kind in ("localEnv", "env"):
                known = self._session.around.environ.get(name)
                if known is not None or colon:
                    return self._budget.spent(default if known is None else known)
            shown = name or kind
            return self._session.holes.hole(shown, f"{shown} is known only where the container is made", found[1])

        return self._budget.spent(_DEV_VARIABLE.sub(use, text))

    def template(self, text: str) -> str:
        """Fill in ``{{.NAME}}`` and ``$NAME``."""

        def use(found: re.Match[str]) -> str:
            name = found[1].strip().lstrip(".")
            known = self._session.around.environ.get(name)
            if known is not None:
                return self._budget.spent(known)
            return self._session.holes.hole(name, f"{name} is known only when Skaffold runs", name)

        return self._budget.spent(_GO_TEMPLATE.sub(use, text))

    def options(self, tree: Tree, path: str, *, devcontainer: bool = False) -> BuildDraft | None:
        """Read options of ``docker build`` that are listed."""
        if not tree:
            return None
        words = [
            Word(self.dev(one.text) if devcontainer else self.template(one.text), one.line) for one in tree.elements()
        ]
        command = Command((Word("docker", tree.line), Word("build", tree.line), *words), tree.line)
        return next(builds_in(command, self._session.holes, self._file, path), None)

    def artifact(self, artifact: Tree, docker: Tree, path: str) -> Build:
        """Read an artifact."""
        holes = self._session.holes
        settings = SettingsDraft()
        entries: list[Entry] = []
        for key, name in (
            ("dockerfile", "dockerfile"),
            ("target", "target"),
            ("network", "network"),
            ("noCache", "no_cache"),
        ):
            if value := docker.get(key):
                settings.put(name, holes.value(self.template(value.text), self.at(value, f"{path}.docker.{key}")))
        if value := artifact.get("context"):
            settings.put("context", holes.value(value.text, self.at(value, f"{path}.context")))
        for name, value in docker.get("buildArgs").items():
            place = self.at(value, f"{path}.docker.buildArgs.{name}")
            settings.pair("args", name, holes.value(self.template(value.text), place))
        for position, one in enumerate(docker.get("cacheFrom").elements()):
            place = self.at(one, f"{path}.docker.cacheFrom[{position}]")
            entries += entries_of(holes, "from", self.template(one.text), place, written=one.text)
        made = self.options(docker.get("cliFlags"), f"{path}.docker.cliFlags")
        if made is not None:
            entries += made.entries
        return Build(
            runner=Runner(kind="skaffold"),
            place=self.at(docker, f"{path}.docker"),
            kind="skaffold",
            name=artifact.get("image").text,
            entries=tuple(entries),
            settings=settings.made(),
        )
