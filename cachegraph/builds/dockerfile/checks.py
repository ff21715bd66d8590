"""BuildKit's lint rules, as far as they can end a build: with ``# check=error=true`` (``frontend/dockerfile/linter``).

A rule that is broken is only a warning otherwise, which is BuildKit's own to give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cachegraph.builds.dockerfile.directives import Directives
from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.gotext import BLANKS, parse_bool

__all__ = ["CheckOptions", "Checks", "read_check_options"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """What ``# check=`` asks for."""

    skip: frozenset[str] = frozenset()
    skip_all: bool = False
    experimental: frozenset[str] = frozenset()
    experimental_all: bool = False
    is_error: bool = False


def read_check_options(text: str) -> CheckOptions:
    """Read the options of a check, such as ``skip=all;error=true``.

    Raises
    ------
    DockerfileError
        An option that BuildKit refuses.
    """
    text = text.strip(BLANKS)
    names: dict[str, frozenset[str]] = {}
    error = False
    for part in text.split(";", 2) if text else ():
        name, equals, value = part.partition("=")
        name, value = name.strip(BLANKS), value.strip(BLANKS)
        if not equals or name not in ("skip", "experimental", "error"):
            raise DockerfileError(f'failed to parse check options: invalid check option "{part}"')
        if name == "error":
            given = parse_bool(value)
            if given is None:
                raise DockerfileError(f'failed to parse check option "{part}"')
            error = given
        else:
            names[name] = frozenset(rule.strip(BLANKS) for rule in value.split(","))
    skip, experimental = names.get("skip", frozenset()), names.get("experimental", frozenset())
    everything = frozenset({"all"})
    return CheckOptions(
        skip=skip,
        skip_all=skip == everything,
        experimental=experimental,
        experimental_all=experimental == everything,
        is_error=error,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """The rules that were broken, which count only if they end the build.

    Attributes
    ----------
    options : CheckOptions
    broken : list of (str, int)
        Rules and lines; shared with what `above` gives.
    """

    options: CheckOptions
    broken: list[tuple[str, int]] = field(default_factory=list)

    @property
    def counts(self) -> bool:
        """Tell whether a broken rule ends the build."""
        return self.options.is_error

    def above(self, comments: Sequence[str]) -> Checks:
        """Give the checks for an instruction, whose comments may skip some (``# check=skip=Rule``)."""
        if not self.counts:
            return self
        for comment in comments:
            try:
                directive = Directives(mark="").read(comment)
            except DockerfileError:
                continue
            if directive is None or directive[0] != "check":
                continue
            try:
                more = read_check_options(directive[1].partition(" ")[0])
            except DockerfileError:
                return self
            return Checks(options=self._merged(more), broken=self.broken)
        return self

    def _merged(self, more: CheckOptions) -> CheckOptions:
        mine = self.options
        return CheckOptions(
            skip=mine.skip | more.skip,
            skip_all=mine.skip_all or more.skip_all,
            experimental=mine.experimental | more.experimental,
            experimental_all=mine.experimental_all or more.experimental_all,
            is_error=mine.is_error,
        )

    def report(self, rule: str, line: int, *, experimental: bool = False) -> None:
        """Note a broken rule, unless it is skipped."""
        if experimental:
            if not (self.options.experimental_all or rule in self.options.experimental):
                return
        elif self.options.skip_all or rule in self.options.skip:
            return
        self.broken.append((rule, line))

    def raise_broken(self) -> None:
        """End the build if a rule is broken and that is an error.

        Raises
        ------
        DockerfileError
        """
        if self.counts and self.broken:
            rules = ", ".join(dict.fromkeys(rule for rule, _ in self.broken))
            line = self.broken[0][1]
            raise DockerfileError(
                f"lint violation found for rules: {rules}", line=line, hint="# check=error=true asks for it"
            )
