r"""The config of a build record: what was asked for, and how it ended.

Go's JSON of a protobuf message, so names are mixed and zeros are left out::

    {"Ref": "gj5o..", "FrontendAttrs": {"filename": "Dockerfile", "target": "app", "build-arg:LATE": "2",
                       "cache-imports": "[{\"Type\":\"registry\",\"Attrs\":{\"ref\":\"..\"}}]"},
     "CreatedAt": {"seconds": 1795629570, "nanos": 241027492}, "CompletedAt": {..},
     "error": {"code": 2, "message": "process .. did not complete successfully: exit code: 1"},
     "numCachedSteps": 5, "numTotalSteps": 12, "numCompletedSteps": 12, "DefaultPlatform": "linux/amd64"}

Source: BuildKit ``api/services/control/control.proto`` (``BuildHistoryRecord``), buildx ``util/desktop/bundle``.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from cachegraph.builds.dockerbuild.status import Time
from cachegraph.core import gojson
from cachegraph.core.gojson import GoInt, Wire
from cachegraph.errors import DecodeError

__all__ = ["History", "Import", "read_history", "read_imports"]

T = TypeVar("T")


class _Timestamp(Wire, frozen=True):
    seconds: GoInt = 0
    nanos: GoInt = 0


class _Error(Wire, frozen=True):
    code: GoInt = 0
    message: str = ""


class _History(Wire, frozen=True):
    ref: str = msgspec.field(default="", name="Ref")
    frontend: str = msgspec.field(default="", name="Frontend")
    attributes: dict[str, str] = msgspec.field(default_factory=dict, name="FrontendAttrs")
    created: _Timestamp | None = msgspec.field(default=None, name="CreatedAt")
    completed: _Timestamp | None = msgspec.field(default=None, name="CompletedAt")
    error: _Error | None = None
    response: dict[str, str] = msgspec.field(default_factory=dict, name="ExporterResponse")
    cached_steps: GoInt = msgspec.field(default=0, name="numCachedSteps")
    total_steps: GoInt = msgspec.field(default=0, name="numTotalSteps")
    completed_steps: GoInt = msgspec.field(default=0, name="numCompletedSteps")
    default_platform: str = msgspec.field(default="", name="DefaultPlatform")


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What the config says, with times as pairs and the error as text."""

    ref: str
    attributes: dict[str, str]
    created: Time | None
    completed: Time | None
    error: str | None
    image_digest: str | None
    cached_steps: int
    total_steps: int
    completed_steps: int
    default_platform: str


class Import(Wire, frozen=True):
    """One entry of ``cache-imports`` (BuildKit ``frontend/gateway/client``: ``CacheOptionsEntry``)."""

    type: str = msgspec.field(default="", name="Type")
    attrs: dict[str, str] = msgspec.field(default_factory=dict, name="Attrs")


_history = msgspec.json.Decoder(_History)
_imports = msgspec.json.Decoder(tuple[Import, ...])


def read_history(data: bytes, place: str) -> History:
    """Read the config of a record.

    Raises
    ------
    cachegraph.errors.DecodeError
        Not such a document.
    """
    read = _read(data, _history, place)
    failed = read.error is not None and (read.error.code or read.error.message)
    return History(
        ref=read.ref,
        attributes=read.attributes,
        created=_time(read.created),
        completed=_time(read.completed),
        error=read.error.message or f"code {read.error.code}" if read.error and failed else None,
        image_digest=read.response.get("containerimage.digest") or None,
        cached_steps=read.cached_steps,
        total_steps=read.total_steps,
        completed_steps=read.completed_steps,
        default_platform=read.default_platform,
    )


def read_imports(text: str, place: str) -> tuple[Import, ...]:
    """Read the attribute ``cache-imports``, in the order of the command line.

    Raises
    ------
    cachegraph.errors.DecodeError
        Not such a list.
    """
    return _read(text.encode(errors="replace"), _imports, f"{place}: cache-imports") if text else ()


def _read(data: bytes, decoder: msgspec.json.Decoder[T], place: str) -> T:
    try:
        return gojson.read(data, decoder)
    except DecodeError as error:
        raise DecodeError(error.message, path=place, hint="export it again") from None


def _time(stamp: _Timestamp | None) -> Time | None:
    return None if stamp is None else (stamp.seconds, stamp.nanos)
