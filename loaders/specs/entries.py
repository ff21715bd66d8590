"""Cache strings as buildx reads them: what ``--cache-from`` and ``--cache-to`` hand to the builder, letter by letter.

::

    type=gha, scope=web   ->  type "gha", attribute " scope": nothing is trimmed, and the builder ignores what it does
                              not know
    a:1,b:1               ->  two registry caches: without any "=", fields are references
    type=gha              ->  with the runner's token and addresses; dropped without a word where there are none

What people write beside that (paths, images, ``docker://``) is `cachegraph.loaders.specs.parse`'s.

Source: buildx ``util/buildflags/cache.go`` (``ParseCacheEntry``, ``addGithubToken``, ``addAwsCredentials``,
``isActive``), ``build/opt.go`` (``CreateCaches``); the fields are those of ``tonistiigi/go-csvvalue``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cachegraph.errors import SpecError

__all__ = ["CacheEntry", "github_attrs", "read_cache_entries"]

_GO_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheEntry:
    """One cache as the builder is told of it.

    Attributes
    ----------
    type : str
        As written: neither trimmed nor lowered nor checked. The builder refuses a type that it does not know.
    attrs : mapping of str to str
        Keys in lower case, otherwise as written. The builder ignores those that it does not know.
    repeated : tuple of str
        Keys that were given more than once, of which the last one counts.
    """

    type: str
    attrs: Mapping[str, str]
    repeated: tuple[str, ...] = field(default=(), compare=False, repr=False)


def read_cache_entries(text: str, environment: Mapping[str, str] | None = None) -> list[CacheEntry]:
    """Read one value of ``--cache-from`` or ``--cache-to``.

    Parameters
    ----------
    text : str
    environment : mapping of str to str, optional
        Variables of the process that runs buildx. With them, entries get what buildx adds (GitHub's token and
        addresses, AWS credentials), and GitHub entries that lack these are left out, as buildx leaves them out.
        Credentials from AWS profiles and metadata services are not looked up.

    Returns
    -------
    list of CacheEntry
        Empty for an empty text.

    Raises
    ------
    cachegraph.errors.SpecError
        In buildx's words.

    Examples
    --------
    >>> read_cache_entries("type=gha, scope=web")
    [CacheEntry(type='gha', attrs={' scope': 'web'})]
    >>> [entry.attrs["ref"] for entry in read_cache_entries("app:a,app:b")]
    ['app:a', 'app:b']
    """
    if not text:
        return []
    entries = [_entry(text)] if "=" in text else [_entry(one) for one in _fields(text)]
    if environment is None:
        return entries
    added = (_with_environment(entry, environment) for entry in entries)
    return [entry for entry in added if entry is not None]


def _entry(text: str) -> CacheEntry:
    fields = _fields(text)
    if len(fields) == 1 and "=" not in fields[0]:
        return CacheEntry(type="registry", attrs={"ref": fields[0]})
    attrs: dict[str, str] = {}
    repeated: dict[str, None] = {}
    for one in fields:
        key, equals, value = one.partition("=")
        if not equals:
            raise SpecError(f"invalid value {one}")
        key = _lower(key)
        if key in attrs:
            repeated[key] = None
        attrs[key] = value
    kind = attrs.pop("type", "")
    if not kind:
        raise SpecError(f"type required for {_quoted(text)}")
    return CacheEntry(type=kind, attrs=attrs, repeated=tuple(repeated))


def _lower(key: str) -> str:
    """Lower letter for letter, as Go does: Python alone makes two letters of one, and looks at a word's end."""
    if key.isascii():
        return key.lower()
    return "".join("i" if letter == "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}" else letter.lower() for letter in key)


def _quoted(text: str) -> str:
    """Quote as Go's ``%q`` does."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    code = ord(letter)
    width = "\\x%02x" if code < 0x80 else "\\u%04x" if code < 0x10000 else "\\U%08x"
    return _ESCAPES.get(letter, width % code)


def _fields(text: str) -> list[str]:
    """Split at commas; quotes only around a whole field, doubled inside. Columns in errors count bytes."""
    line = text.encode("utf-8", "surrogatepass").removesuffix(b"\n").removesuffix(b"\r" if text.endswith("\n") else b"")
    if not line:
        raise SpecError("EOF")
    fields: list[bytes] = []
    start = 0
    while True:
        if line[start : start + 1] == b'"':
            found, end = _quoted_field(line, start + 1)
        else:
            end = line.find(b",", start)
            end = len(line) if end < 0 else end
            found = line[start:end]
            if b'"' in found:
                raise _parse_error(start + found.index(b'"'), 'bare " in non-quoted-field')
        fields.append(found)
        if end == len(line):
            return [one.decode("utf-8", "surrogatepass") for one in fields]
        start = end + 1


def _quoted_field(line: bytes, start: int) -> tuple[bytes, int]:
    """Read a field behind its opening quote; give it, and where its comma or the end of the line is."""
    found = b""
    while True:
        quote = line.find(b'"', start)
        if quote < 0:
            raise _parse_error(start, 'extraneous or missing " in quoted-field')
        found += line[start:quote]
        match line[quote + 1 : quote + 2]:
            case b'"':
                found += b'"'
                start = quote + 2
            case b"," | b"":
                return found, quote + 1
            case _:
                raise _parse_error(quote, 'extraneous or missing " in quoted-field')


def _parse_error(at: int, what: str) -> SpecError:
    return SpecError(f"parse error on line 1, column {at + 1}: {what}")


def _with_environment(entry: CacheEntry, environment: Mapping[str, str]) -> CacheEntry | None:
    match entry.type:
        case "gha":
            return _with_github(entry, environment)
        case "s3":
            return _with_aws(entry, environment)
    return entry


def github_attrs(attrs: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Add to the keys of ``type=gha`` what buildx finds in the environment: token and addresses.

    Parameters
    ----------
    attrs : mapping of str to str
    environment : mapping of str to str
    """
    results = environment.get("ACTIONS_RESULTS_URL")
    second = "2" if environment.get("ACTIONS_CACHE_SERVICE_V2", "") in _GO_TRUE else ""
    added = {
        "token": environment.get("ACTIONS_RUNTIME_TOKEN"),
        "url_v2": results if attrs.get("version", second) == "2" else None,
        "url": environment.get("ACTIONS_CACHE_URL", results),
    }
    return {**{key: value for key, value in added.items() if value is not None}, **attrs}


def _with_github(entry: CacheEntry, environment: Mapping[str, str]) -> CacheEntry | None:
    attrs = github_attrs(entry.attrs, environment)
    if not attrs.get("token") or not (attrs.get("url") or attrs.get("url_v2")):
        return None
    return replace(entry, attrs=attrs)


def _with_aws(entry: CacheEntry, environment: Mapping[str, str]) -> CacheEntry:
    if {"access_key_id", "secret_access_key"} <= entry.attrs.keys() or environment.get("AWS_PROFILE"):
        return entry
    key = environment.get("AWS_ACCESS_KEY_ID") or environment.get("AWS_ACCESS_KEY")
    secret = environment.get("AWS_SECRET_ACCESS_KEY") or environment.get("AWS_SECRET_KEY")
    if not key or not secret:
        return entry
    added = {"access_key_id": key, "secret_access_key": secret}
    if token := environment.get("AWS_SESSION_TOKEN"):
        added["session_token"] = token
    return replace(entry, attrs={**added, **entry.attrs})
