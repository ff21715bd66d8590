"""``RUN --mount`` and ``--device`` (BuildKit ``instructions/commands_runmount.go`` and ``commands_rundevice.go``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.gotext import parse_bool, parse_int
from cachegraph.builds.dockerfile.quantities import parse_size

__all__ = ["Mount", "check_mount", "csv_fields", "parse_device", "parse_mount"]

_TYPES = ("bind", "cache", "tmpfs", "secret", "ssh")
_SHARING = ("shared", "private", "locked")
_WITH_OWNER = frozenset({"secret", "ssh", "cache"})
_KEYS = frozenset({
    "type", "from", "source", "src", "target", "dst", "destination", "readonly", "ro", "readwrite", "rw", "required",
    "size", "id", "sharing", "mode", "uid", "gid", "env",
})  # fmt: skip
_CANONICAL = {"src": "source", "dst": "target", "destination": "target", "ro": "readonly", "rw": "readwrite"}


@dataclass(slots=True, kw_only=True)
class Mount:
    """A mount, as its options say it; ``env`` is None where it was not given."""

    type: str = "bind"
    source_stage: str = ""
    source: str = ""
    target: str = ""
    readonly: bool | None = None
    required: bool = False
    size: int = 0
    id: str = ""
    sharing: str = ""
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    env: str | None = None

    @property
    def is_readonly(self) -> bool:
        """Whether the mount can be written to; by default only a cache and a tmpfs can."""
        return self.type not in ("cache", "tmpfs") if self.readonly is None else self.readonly


def csv_fields(text: str) -> list[str]:
    """Mirror ``tonistiigi/go-csvvalue``: fields of one line, quoted where they start with a quote.

    Raises
    ------
    DockerfileError
        Quotes that do not fit.
    """
    text = text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text
    if not text:
        raise DockerfileError("an empty list of fields")
    fields: list[str] = []
    place = 0
    while True:
        if text.startswith('"', place):
            field, place = _quoted(text, place + 1)
            fields.append(field)
            if place >= len(text):
                return fields
            place += 1
            continue
        end = text.find(",", place)
        field = text[place:] if end < 0 else text[place:end]
        if '"' in field:
            raise DockerfileError(f'a quote inside a field that is not quoted: "{field}"')
        fields.append(field)
        if end < 0:
            return fields
        place = end + 1


def _quoted(text: str, place: int) -> tuple[str, int]:
    parts: list[str] = []
    while True:
        end = text.find('"', place)
        if end < 0:
            raise DockerfileError("a quoted field without its end")
        parts.append(text[place:end])
        place = end + 1
        if text.startswith('"', place):
            parts.append('"')
            place += 1
        elif place == len(text) or text[place] == ",":
            return "".join(parts), place
        else:
            raise DockerfileError("text behind a quoted field")


def check_mount(text: str) -> str:
    """Refuse what can be refused before variables are known, and give the stage, image or context of ``from=``.

    Raises
    ------
    DockerfileError
    """
    source = ""
    for field in csv_fields(text):
        key, equals, value = field.partition("=")
        if equals and key.lower() == "from":
            at = value.find("$")
            if at not in (-1, len(value) - 1):
                raise DockerfileError("'from' doesn't support variable expansion, define alias stage instead")
            source = value
    return source


def parse_mount(text: str, expand: Callable[[str], str]) -> Mount:
    """Read a mount's options.

    Parameters
    ----------
    text : str
    expand : callable
        Substitutes the variables in a value.

    Raises
    ------
    DockerfileError
    """
    mount = Mount()
    for field in csv_fields(text):
        key, equals, value = field.partition("=")
        key = key.lower()
        if equals:
            _set(mount, key, expand(value), field)
        else:
            _set_bare(mount, key, field)
    _check(mount)
    return mount


def _set_bare(mount: Mount, key: str, field: str) -> None:
    if key in ("readonly", "ro"):
        mount.readonly = True
    elif key in ("readwrite", "rw"):
        mount.readonly = False
    elif key == "required":
        _require_type(mount, key, "secret", "ssh")
        mount.required = True
    else:
        raise DockerfileError(f"invalid field '{field}' must be a key=value pair")


def _require_type(mount: Mount, key: str, *types: str) -> None:
    if mount.type not in types:
        raise DockerfileError(f"unexpected key '{key}' for mount type '{mount.type}'")


def _set(mount: Mount, key: str, value: str, field: str) -> None:
    name = _CANONICAL.get(key, key)
    if key not in _KEYS:
        raise DockerfileError(f"unexpected key '{key}' in '{field}'")
    match name:
        case "type":
            mount.type = _one_of(value.lower(), _TYPES, f'unsupported mount type "{value}"')
        case "from":
            mount.source_stage = value
        case "source" | "target" | "id":
            setattr(mount, name, value)
        case "readonly" | "readwrite":
            given = _bool(key, value)
            mount.readonly = given if name == "readonly" else not given
        case "required":
            _require_type(mount, key, "secret", "ssh")
            mount.required = _bool(key, value)
        case "size":
            _require_type(mount, key, "tmpfs")
            size = parse_size(value)
            if size is None:
                raise DockerfileError(f"invalid value for {key}: {value}")
            mount.size = size
        case "sharing":
            mount.sharing = _one_of(value.lower(), _SHARING, f'unsupported sharing value "{value}"')
        case "env":
            mount.env = value
        case _:
            number = parse_int(value, 8 if name == "mode" else 10, bits=32)
            if number is None:
                raise DockerfileError(f"invalid value {value} for {key}")
            setattr(mount, name, number)


def _one_of(value: str, allowed: tuple[str, ...], message: str) -> str:
    if value not in allowed:
        raise DockerfileError(message, hint=f"one of {', '.join(allowed)}")
    return value


def _bool(key: str, value: str) -> bool:
    given = parse_bool(value)
    if given is None:
        raise DockerfileError(f"invalid value for {key}: {value}")
    return given


def _check(mount: Mount) -> None:
    """Refuse options that do not go together."""
    if mount.type not in _WITH_OWNER:
        for name in ("mode", "uid", "gid"):
            if getattr(mount, name) is not None:
                raise DockerfileError(f'{name} not allowed for "{mount.type}" type mounts')
    if mount.type == "secret":
        if mount.source_stage:
            raise DockerfileError("secret mount should not have a from")
        if mount.sharing:
            raise DockerfileError("secret mount should not define sharing")
        if not (mount.source or mount.target or mount.id):
            raise DockerfileError("invalid secret mount. one of source, target required")
        if mount.source and mount.id:
            raise DockerfileError("both source and id can't be set")
    if mount.sharing and mount.type != "cache":
        raise DockerfileError(f"invalid cache sharing set for {mount.type} mount")


def parse_device(text: str) -> tuple[str, bool]:
    """Read the value of ``--device``: its name, and whether it is required.

    Raises
    ------
    DockerfileError
    """
    name = ""
    required = False
    for field in csv_fields(text):
        key, equals, value = field.partition("=")
        key = key.lower()
        if key == "required":
            required = _bool(key, value) if equals else True
        elif equals and key == "name":
            if name:
                raise DockerfileError(f"device name already set to {name}")
            name = value
        elif not name:
            name = field
        elif equals:
            raise DockerfileError(f"unexpected key '{key}' in '{field}'")
        else:
            raise DockerfileError(f"invalid field '{field}' must be a key=value pair")
    return name, required
