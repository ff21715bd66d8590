"""Image references as ``distribution/reference`` reads them, in the forms that the Dockerfile frontend compares."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cachegraph.builds.dockerfile.errors import DockerfileError

__all__ = ["Reference", "parse_reference"]

_HEX = re.compile(r"[a-f0-9]{64}")
_WORD = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?P<host>(?:{_WORD}(?:\.{_WORD})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?)/(?P<path>{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>[0-9A-Za-z_][0-9A-Za-z_.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}))?"
)
_LONGEST = 255
_LONGEST_TEXT = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An image reference with its defaults filled in, but for the tag."""

    host: str
    path: str
    tag: str = ""
    digest: str = ""

    def _written(self, name: str) -> str:
        return name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    def __str__(self) -> str:
        return self._written(f"{self.host}/{self.path}")

    @property
    def familiar(self) -> str:
        """As people write it: without ``docker.io/library/``."""
        if self.host != "docker.io":
            return str(self)
        short = self.path.removeprefix("library/")
        return self._written(self.path if "/" in short else short)

    def with_tag(self) -> Reference:
        """Add the tag ``latest`` where there is neither tag nor digest."""
        return self if self.tag or self.digest else Reference(host=self.host, path=self.path, tag="latest")

    def with_digest(self, digest: str) -> Reference:
        """Pin it to a digest."""
        return Reference(host=self.host, path=self.path, tag=self.tag, digest=digest)


def parse_reference(text: str) -> Reference:
    """Read an image reference.

    Raises
    ------
    DockerfileError
        The text is none; a name with a password in front of an ``@`` is not shown.
    """
    first, slash, rest = text.partition("/")
    is_host = bool(slash) and (first == "localhost" or "." in first or ":" in first or first != first.lower())
    host, path = (first, rest) if is_host else ("docker.io", text)
    if host == "index.docker.io":
        host = "docker.io"
    if host == "docker.io" and "/" not in path:
        path = f"library/{path}"
    match = None
    if len(text) <= _LONGEST_TEXT and not _HEX.fullmatch(text):
        match = _REFERENCE.fullmatch(f"{host}/{path}")
    if match is None or len(match["path"]) > _LONGEST:
        shown = f"***@{text.rpartition('@')[2]}" if "@" in text else text
        raise DockerfileError(
            f'"{shown[:200]}" is no image reference: invalid reference format', hint="write NAME[:TAG][@DIGEST]"
        )
    return Reference(host=match["host"], path=match["path"], tag=match["tag"] or "", digest=match["digest"] or "")
