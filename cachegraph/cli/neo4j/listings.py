"""What a load of all tags says of the tags that are not there any more."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from cachegraph.errors import SpecError
from cachegraph.loaders.base import Options, Spec
from cachegraph.loaders.specs.identity import place_of, spec_of
from cachegraph.loaders.specs.parse import parse
from cachegraph.loaders.specs.reference import parse_reference

if TYPE_CHECKING:
    from cachegraph.stores.neo4j import Listing

__all__ = ["listings"]


def listings(specs: Iterable[str | Spec], options: Options, unread: Collection[str]) -> Iterator[Listing]:
    """Give the listing of each repository all of whose tags were read, or all that match.

    Parameters
    ----------
    specs : iterable of str or Spec
    options : Options
    unread : collection of str
        What could not be read: of a repository that could not be listed, nothing is known.

    Yields
    ------
    Listing
    """
    from cachegraph.loaders.registry import tags_wanted
    from cachegraph.stores.neo4j import Listing

    for given in specs:
        try:
            spec = spec_of(given)
            glob = tags_wanted(spec, options) if spec.type == "registry" else None
            if glob is None or spec.text in unread:
                continue
            name = parse_reference(spec.attrs.get("ref", "")).name
        except SpecError:  # reading it has said what is wrong
            continue
        prefix = place_of(parse(f"type=registry,ref={name}:x")).removesuffix("x")
        yield Listing(prefix=prefix, concerns=partial(_concerns, prefix, glob))


def _concerns(prefix: str, glob: str, source: str) -> bool:
    return fnmatch.fnmatchcase(source.removeprefix(prefix), glob)
