"""What is wrong with a Dockerfile or the options of its build, with the line."""

from __future__ import annotations

from cachegraph.errors import SourceError, UsageError

__all__ = ["BuildOptionError", "DockerfileError", "TooMuchError"]


class DockerfileError(SourceError):
    """A Dockerfile that BuildKit refuses.

    Parameters
    ----------
    message : str
        What is wrong, as far as possible in BuildKit's own words, since people search for them.
    file : str
        What the Dockerfile is called.
    line : int
        From 1; 0 where no line is to blame.
    """

    def __init__(self, message: str, *, file: str = "", line: int = 0, hint: str | None = None) -> None:
        place = ":".join(part for part in (file, str(line) if line else "") if part)
        super().__init__(f"{place}: {message}" if place else message, hint=hint)
        self.reason = message
        self.file = file
        self.line = line

    def at(self, line: int, file: str = "") -> DockerfileError:
        """Name the place, unless it is known already."""
        return type(self)(self.reason, file=self.file or file, line=self.line or line, hint=self.hint)


class TooMuchError(DockerfileError):
    """A Dockerfile that is past a limit of this reader, and none of BuildKit's."""


class BuildOptionError(UsageError):
    """An option of a build that BuildKit refuses."""
