"""What users write to name an export: cache strings as buildx reads them, then what people paste beside these.

::

    type=local,src=./cache          --cache-from and --cache-to values, letter by letter as buildx takes them
    type=registry,ref=app:cache     (dest= is read as src=)
    app:latest  app:a,app:b         image references
    ./cache  cache.tar  cache.json  a directory, an archive, a bare cache config; - is standard input
    docker://app:latest             skopeo's names: docker://, oci:DIR:TAG, oci-archive:FILE, docker-archive:FILE, dir:
    --cache-from type=gha           with the option or the workflow's key before it, in quotes, several on lines or
                                    between semicolons

Source: `cachegraph.loaders.specs.entries`, which has buildx's own rules.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from cachegraph.errors import SpecError, hide
from cachegraph.loaders.base import Spec
from cachegraph.loaders.paths import kind_of, local_path
from cachegraph.loaders.specs.bare import looks_like_path, path_or_reference, path_spec, skopeo
from cachegraph.loaders.specs.entries import CacheEntry, read_cache_entries
from cachegraph.loaders.specs.fields import IRRELEVANT, bare_url, check_keys, flag, required
from cachegraph.loaders.specs.keys import FALSE, KEYS, TRUE, TYPES, Direction
from cachegraph.loaders.specs.shown import SECRET, canonical, shown
from cachegraph.loaders.specs.traps import Trap, traps
from cachegraph.text.nearest import did_you_mean

__all__ = [
    "FALSE",
    "IRRELEVANT",
    "OURS",
    "SECRET",
    "TRUE",
    "bare_url",
    "canonical",
    "check_keys",
    "flag",
    "parse",
    "parse_all",
    "required",
    "specs_of_setting",
    "unknown_type",
]

OURS: Mapping[str, frozenset[str]] = {
    "registry": frozenset({"all-tags"}),
    "gha": frozenset({"ref", "repository", "ghtoken"}),
}
"""Keys that say what to read, and that BuildKit does not have or look at: no trap here."""

_OPTION = re.compile(
    r"(?:- *)?(?:--(?:(?P<buildctl>import|export)-cache|cache-(?P<option>from|to))[= ] *"
    r"|cache[-_](?P<key>from|to)(?: *: +| *:(?=\n)| *= *))"
)
_SEVERAL = re.compile(r"\s*[;\n]\s*(?=type=)", re.IGNORECASE)
_LONGEST = 64 << 10  # characters
_MOST = 1000  # caches that one text may name
_DEEPEST = 4  # quotes, options and lists within one another


def parse(text: str) -> Spec:
    """Read a spec of one place; see `parse_all`.

    Raises
    ------
    cachegraph.errors.SpecError
        As `parse_all`, or it names several.

    Examples
    --------
    >>> dict(parse("type=local,dest=./cache,mode=max").attrs)
    {'src': './cache', 'mode': 'max'}
    >>> parse("registry.example.com/app:cache").type
    'registry'
    """
    first, *others = parse_all(text)
    if others:
        raise SpecError(f"{shown(text)}: this names {len(others) + 1} caches", hint="give one of them")
    return first


def parse_all(text: str) -> tuple[Spec, ...]:
    """Read what names one place or several.

    Parameters
    ----------
    text : str
        What a user would give to ``--cache-from``, a path, or an image reference; or what a user may paste.

    Returns
    -------
    tuple of Spec
        At least one. What BuildKit takes otherwise than meant is in their ``traps``.

    Raises
    ------
    cachegraph.errors.SpecError
        Empty, or refused by buildx, in its words, and nothing else that is known here.

    Examples
    --------
    >>> [spec.attrs["ref"] for spec in parse_all("app:a,app:b")]
    ['app:a', 'app:b']
    """
    if len(text) > _LONGEST:
        raise SpecError(
            f"{shown(text[:60])}..: {len(text):,} characters are no spec", hint="name files with --from-file"
        )
    return _parse(text, 0)


def _parse(text: str, depth: int) -> tuple[Spec, ...]:
    if not text.strip():
        raise SpecError("the spec is empty", hint="give a path, an image reference, or type=local,src=DIR")
    if text == "-":
        return (Spec(type="config", attrs={"src": "-"}, text="-", bare=True),)
    if kind_of(local_path(text)) is not None:
        return (path_spec(text),)  # a file's name may have an equals sign or a comma in it
    pasted = _pasted(text, depth + 1) if depth < _DEEPEST else None
    if pasted is not None:
        return pasted
    try:
        entries = read_cache_entries(text)
    except SpecError as error:
        if looks_like_path(text):
            return (path_spec(text),)
        words = _without_text(error.message)
        said = f"{shown(text)}: buildx refuses it: {words}"
        raise SpecError(said, hint=_cure(text, words), buildkit="fail") from None
    if "=" in text:
        return tuple(_of_entry(entry, shown(text)) for entry in entries)
    return tuple(_listed(entry.attrs["ref"], among=len(entries)) for entry in entries)


def specs_of_setting(text: str, direction: Direction, place: str) -> tuple[Spec, ...]:
    """Read a cache string of a file as buildx reads it, and as nothing else.

    Parameters
    ----------
    text : str
    direction : {"from", "to"}
    place : str
        The file and line that hold it.

    Returns
    -------
    tuple of Spec
        Empty for an empty text.

    Raises
    ------
    cachegraph.errors.SpecError
        In buildx's words.
    """
    return tuple(replace(_of_entry(entry, shown(text), direction), place=place) for entry in read_cache_entries(text))


def _listed(text: str, *, among: int) -> Spec:
    """Read a reference of a list, which buildx does not trim."""
    bare = text.strip()
    if not bare:
        raise SpecError("an empty entry in a list", hint="leave out the comma, or give a reference")
    spec = path_or_reference(bare)
    if bare == text or among < 2:
        return spec
    where = "before" if text != text.lstrip() else "behind"
    trap = Trap(
        code="blank",
        key="ref",
        message=f"the blank {where} `{shown(bare)}` is part of the reference: BuildKit refuses it"
        " (invalid reference format), and builds without this cache",
        instead=shown(bare),
    )
    return _with_trap(spec, trap)


def _without_text(words: str) -> str:
    """Take from buildx's words what they repeat of the text, which may hold a password."""
    if words.startswith("type required"):
        return "type required"
    kind, quoted, field = words.partition("invalid value ")
    return f"{kind}{quoted}{shown(field)}" if quoted else words


def _cure(text: str, words: str) -> str:
    if words.startswith("type required"):
        return "begin with type=local, type=registry, ..."
    if words.startswith("parse error"):
        return 'quotes go around a whole field, as in "key=a,b"'
    if ";" in text or "\n" in text:
        return "give each cache with an option of its own"
    return "separate fields with commas, each key=value; with a = anywhere, the whole is one cache"


def _of_entry(entry: CacheEntry, text: str, direction: Direction | None = None) -> Spec:
    """Make a spec of what buildx hands to the builder."""
    attrs = dict(entry.attrs)
    for key, value in attrs.items():
        if key.strip() in SECRET:
            hide(value)
    if entry.type == "inline":
        raise SpecError(
            f"{text}: the cache goes into the image itself",
            hint="give the image's reference, as --cache-from type=registry,ref=IMAGE does",
        )
    ours = OURS.get(entry.type, frozenset())
    theirs = replace(entry, attrs={key: value for key, value in attrs.items() if key not in ours})
    said = traps(theirs, direction) if entry.type in KEYS else ()
    if entry.type == "local" and attrs.get("dest") and (direction == "to" or not attrs.get("src")):
        attrs = {"src" if key == "dest" else key: value for key, value in attrs.items() if key != "src"}
    return Spec(type=entry.type, attrs=attrs, text=text, traps=said)


def unknown_type(kind: str, text: str, known: Collection[str]) -> SpecError:
    """Make the error of a type that no loader reads.

    Parameters
    ----------
    kind : str
    text : str
        The spec, as it may be shown.
    known : collection of str
        The types that are read.
    """
    near = did_you_mean(kind.strip(), sorted(known), "known types")
    blank = " (the blank belongs to it)" if kind != kind.strip() else ""
    cost = "" if kind in TYPES["from"] else "; BuildKit does not know it either, and builds without this cache"
    return SpecError(f"{text}: there is no type={kind}{blank}{cost}", hint=near, buildkit="skip" if cost else None)


# --- What people paste beside what buildx takes --------------------------------------------------------------------


def _pasted(text: str, depth: int) -> tuple[Spec, ...] | None:
    """Read what buildx would not take for what it is: options, lists on lines, quotes, skopeo's names; else None."""
    bare = text.strip()
    if (option := _OPTION.match(bare)) is not None and bare[option.end() :]:
        way: Direction = "from" if {"from", "import"} & set(option.groups()) else "to"
        return tuple(_directed(spec, way) for spec in _parse(bare[option.end() :], depth))
    lines = [line.strip().removeprefix("- ") for line in bare.splitlines() if line.strip() not in ("", "|", ">")]
    if bare.startswith("- "):
        return _parse(bare[2:], depth)
    if len(bare.splitlines()) > 1 and lines and not any(line.count('"') % 2 for line in lines):
        return _each(lines, depth)
    if len(parts := _SEVERAL.split(bare)) > 1:
        return tuple(_with_trap(spec, _semicolons()) for spec in _each(parts, depth))
    if "=" not in bare and ";" in bare and (parts := [part for part in bare.split(";") if part.strip()]):
        return tuple(_with_trap(spec, _semicolons()) for spec in _each(parts, depth))
    if len(bare) > 2 and bare[0] == bare[-1] and bare[0] in "'\"`" and bare[0] not in bare[1:-1]:
        return _parse(bare[1:-1], depth)
    if "=" not in bare and (spec := skopeo(bare)) is not None:
        return (spec,)
    return None


def _each(texts: Collection[str], depth: int) -> tuple[Spec, ...]:
    if len(texts) > _MOST:
        raise SpecError(f"{len(texts):,} caches in one text", hint=f"give at most {_MOST:,}")
    return tuple(spec for text in texts for spec in _parse(text, depth))


def _directed(spec: Spec, direction: Direction) -> Spec:
    """Find the traps of a direction that is told."""
    if spec.bare or spec.type not in KEYS:
        return spec
    ours = OURS.get(spec.type, frozenset())
    attrs = {key: value for key, value in spec.attrs.items() if key not in ours}
    if direction == "to" and "src" in attrs:
        attrs = {"dest" if key == "src" else key: value for key, value in attrs.items()}
    kept = tuple(trap for trap in spec.traps if trap.code == "repeated")
    return replace(spec, traps=(*kept, *traps(CacheEntry(type=spec.type, attrs=attrs), direction)))


def _with_trap(spec: Spec, trap: Trap) -> Spec:
    return replace(spec, traps=(*spec.traps, trap))


def _semicolons() -> Trap:
    return Trap(
        code="unknown-value",
        key="",
        message="BuildKit takes what has `;` in it for one cache, and finds none; give each in an option of its own",
    )
