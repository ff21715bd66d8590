"""The strings that buildx takes, read as buildx reads them.

::

    type=local,src=./cache          --cache-from and --cache-to values, verbatim
    type=registry,ref=app:cache     (dest= is read as src=; mode=, compression= and the like do not matter here)
    app:latest                      an image reference
    ./cache  cache.tar  cache.json  a directory, an archive, a bare cache config

Source: buildx ``util/buildflags/cache.go``, ``parseCacheEntry``.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from cachegraph.errors import SpecError, encodable, hide, masked
from cachegraph.loaders.base import Spec
from cachegraph.loaders.paths import kind_of
from cachegraph.text.nearest import did_you_mean

__all__ = [
    "FALSE",
    "IRRELEVANT",
    "SECRET",
    "TRUE",
    "bare_url",
    "canonical",
    "check_keys",
    "flag",
    "parse",
    "required",
    "shown_spec",
]

IRRELEVANT = frozenset(
    {
        "compression",
        "compression-level",
        "force-compression",
        "ignore-error",
        "image-manifest",
        "mode",
        "oci-artifact",
        "oci-mediatypes",
        "timeout",
    }
)
"""Keys that shape a build or an export and say nothing about where it is."""

SECRET = frozenset({"access_key_id", "ghtoken", "password", "secret_access_key", "session_token", "token"})
"""Keys whose values are never shown."""

TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
"""What Go's ``strconv.ParseBool`` takes."""

_COMMAS = "separate fields with commas"
_ARCHIVE = re.compile(r"\.(tar|tgz|tar\.(gz|bz2|xz|zst))$", re.IGNORECASE)
# No address, but what a user may have in mind: user:password@host/name. A tag before a digest looks like it.
_LOGIN = re.compile(r"[^/@\s=]*:[^/@\s]+@(?!sha256:|sha512:)")
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_-]*=")


def parse(text: str) -> Spec:
    """Read a spec.

    Parameters
    ----------
    text : str
        What a user would give to ``--cache-from``, a path, or an image reference.

    Returns
    -------
    Spec

    Raises
    ------
    SpecError
        Empty, not ``key=value`` throughout, a key twice, or no ``type``.

    Examples
    --------
    >>> parse("type=local,dest=./cache,mode=max").attrs
    {'src': './cache', 'mode': 'max'}
    >>> parse("registry.example.com/app:cache").type
    'registry'
    """
    text = text.strip()
    if not text:
        raise SpecError("the spec is empty", hint="give a path, an image reference, or type=local,src=DIR")
    if not _FIELD.match(text):
        return _bare(text)
    try:
        spec = _fields(text)
    except SpecError:
        if kind_of(Path(text)) is None:
            raise
        return _bare(text)  # a file whose name has an equals sign
    for key in SECRET & spec.attrs.keys():
        hide(spec.attrs[key])
    return spec


def _fields(text: str) -> Spec:
    attrs: dict[str, str] = {}
    for field in _split(text):
        key, equals, value = field.partition("=")
        key = key.strip().lower()
        if not equals or not key:
            raise SpecError(f"{shown_spec(text)}: {_masked_field(field)!r} is not key=value", hint=_COMMAS)
        if key in attrs:
            raise SpecError(f"{shown_spec(text)}: {key} is given twice")
        attrs[key] = value
    kind = attrs.pop("type", "")
    if not kind:
        raise SpecError(f"{shown_spec(text)}: there is no type=", hint="begin with type=local, type=registry, ...")
    if kind == "local" and {"src", "dest"} <= attrs.keys():
        raise SpecError(f"{shown_spec(text)}: src and dest mean the same here, and both are given")
    if kind == "local" and "dest" in attrs:
        attrs = {"src" if key == "dest" else key: value for key, value in attrs.items()}
    return Spec(type=kind, attrs=attrs, text=shown_spec(text))


def check_keys(spec: Spec, known: Collection[str]) -> None:
    """Refuse keys that a loader does not know.

    Parameters
    ----------
    spec : Spec
    known : collection of str
        Keys that the loader reads; `IRRELEVANT` ones are passed over.

    Raises
    ------
    SpecError
        Names the key, the known ones, and the nearest of them.
    """
    for key in spec.attrs:
        if key not in known and key not in IRRELEVANT:
            raise SpecError(
                f"{spec.text}: type={spec.type} has no key {key}", hint=did_you_mean(key, sorted(known), "known keys")
            )


def required(spec: Spec, key: str, example: str) -> str:
    """Give the value of a key that must be there.

    Parameters
    ----------
    spec : Spec
    key : str
    example : str
        Shown when it is missing, such as ``src=./cache``.

    Raises
    ------
    SpecError
        Missing or empty.
    """
    value = spec.attrs.get(key, "")
    if not value:
        raise SpecError(f"{spec.text}: {key} is missing", hint=f"add {example}")
    return value


def flag(spec: Spec, key: str) -> bool:
    """Give the value of a key that is true or false, as Go writes that; false where it is missing.

    Raises
    ------
    SpecError
        Neither.
    """
    value = spec.attrs.get(key, "false")
    if value not in TRUE | FALSE:
        raise SpecError(f"{spec.text}: {key} is {value!r}", hint="write true or false")
    return value in TRUE


def bare_url(url: str, key: str) -> str:
    """Return a URL without user, password, query and fragment: what may be shown of it.

    Parameters
    ----------
    url : str
    key : str
        Where in the spec it is, for the error.

    Raises
    ------
    SpecError
        It is none.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise SpecError(f"{key} is not a URL") from None
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _bare(text: str) -> Spec:
    """Tell what a path or reference is by what lies there, else by how it looks."""
    path = Path(text)
    there = kind_of(path)
    kind, key = "registry", "ref"
    if there == "directory" or (_ARCHIVE.search(text) and (there is not None or _looks_like_path(text))):
        kind, key = "local", "src"
    elif path.suffix == ".db":
        kind, key = "daemon", "db"
    elif there == "file" or path.suffix == ".json":
        kind, key = "config", "src"
    elif _looks_like_path(text):
        kind, key = "local", "src"
    return Spec(type=kind, attrs={key: text}, text=shown_spec(text))


def _looks_like_path(text: str) -> bool:
    return text.startswith(("./", "../", "/", "~", ".\\")) or text in (".", "..") or bool(_ARCHIVE.search(text))


def _split(text: str) -> list[str]:
    try:
        return next(csv.reader([text], strict=True))
    except (csv.Error, StopIteration) as error:
        reason = str(error) or "nothing in it"
        raise SpecError(f"{shown_spec(text)}: {reason}", hint='quote a field with a comma as "key=a,b"') from None


def shown_spec(text: str) -> str:
    """Show a spec without its credentials: secret keys, and in addresses what stands before ``@`` or behind ``?``.

    Parameters
    ----------
    text : str
        Need not be one that can be read.
    """
    try:
        fields = next(csv.reader([text], strict=True))
    except (csv.Error, StopIteration):  # where a value ends is not known: show nothing behind the first secret
        fields = [re.sub(rf"(?i)\b({'|'.join(SECRET)})=.*", r"\1=***", text)]
    hidden = (_masked_field(encodable(field)) for field in fields)
    return masked(",".join(f'"{field}"' if "," in field and len(fields) > 1 else field for field in hidden))


def _masked_field(field: str) -> str:
    key, equals, _ = field.partition("=")
    if equals and key.strip().lower() in SECRET:
        return f"{key}=***"
    field = _LOGIN.sub("***@", field)
    return re.sub(r"(://[^\s?]*)\?\S*", r"\1?***", re.sub(r"://[^/@\s]*@", "://***@", field))


def canonical(kind: str, attrs: Mapping[str, str]) -> str:
    """Write a spec back from what identifies it.

    Parameters
    ----------
    kind : str
    attrs : mapping of str to str
        Without credentials.
    """
    fields = [encodable(field) for field in (f"type={kind}", *(f"{key}={value}" for key, value in attrs.items()))]
    return ",".join(f'"{field}"' if "," in field else field for field in fields)
