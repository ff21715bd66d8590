"""Names that nobody asked for: what lies beside an export and says what its records do.

==========================  ==========================================================================================
an image with inline cache  its own history (already in the export), and the provenance attached to it
a cache in a registry       images of the same repository that share its layers: their provenance and history
``Dockerfile``              the one in the current folder, as ``--names Dockerfile`` reads it: a digest proves a name
==========================  ==========================================================================================

All of it is bounded, and nothing that goes wrong here is told: the export is read, and has fewer names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

from cachegraph.builds.provenance import Texts
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheExport, Names
from cachegraph.errors import CacheGraphError
from cachegraph.loaders.base import Options
from cachegraph.loaders.http.parallel import within
from cachegraph.loaders.names.dockerfiles import dockerfile_texts, is_dockerfile
from cachegraph.loaders.names.images import texts_of_image
from cachegraph.loaders.names.read import read_texts
from cachegraph.loaders.oci.manifests import (
    CACHE_CONFIG,
    Descriptor,
    Manifest,
    child_manifests,
    is_image,
    parse_manifest,
)
from cachegraph.loaders.registry import Image, open_image
from cachegraph.loaders.specs.parse import parse
from cachegraph.loaders.specs.reference import parse_reference

__all__ = ["found_names", "found_texts"]

HERE = Path()
"""The current folder."""

ENOUGH = 0.9
"""Share of an export's records that are named before nothing more is looked at."""

_REPOSITORIES = 3  # that are looked through
_TAGS = 8  # of one repository
_CHILDREN = 4  # manifests of one tag
_LISTED = 1000  # tags that are listed to choose from
_SECONDS = 10.0  # for one repository, or for a Dockerfile's base images
_TIMEOUT = 5.0  # for one request
_LIKELY = ("latest", "main", "master", "edge", "stable", "dev")


def found_names(
    exports: Sequence[CacheExport], options: Options, *, known: Names | None = None, folder: Path | None = HERE
) -> Names:
    """Look for names of what was read.

    Parameters
    ----------
    exports : sequence of CacheExport
    options : Options
    known : Names, optional
        Names that are given: nothing more is looked for where they name enough.
    folder : pathlib.Path, optional
        Where a Dockerfile may lie; the current folder by default. With None, none is looked for.

    Returns
    -------
    Names
        What was found, without ``known``.
    """
    found = found_texts(exports, options, known=known, folder=folder)
    return Names() if found is None else found.named()


def found_texts(
    exports: Sequence[CacheExport], options: Options, *, known: Names | None = None, folder: Path | None = HERE
) -> Texts | None:
    """Look for plaintexts and names of what was read; None if there is none. It takes what `found_names` does."""
    options = replace(options, timeout=min(options.timeout, _TIMEOUT), tag_glob=None)
    search = _Search(exports=exports, names=known or Names())
    for place in _layouts(exports):
        search.add(partial(read_texts, place, options))
    for repository, held in list(_repositories(exports).items())[:_REPOSITORIES]:
        if search.lacks(held):
            finder = _Finder(exports=held, options=options, search=search)
            with suppress(CacheGraphError):
                within(_SECONDS, finder.look, repository)
    dockerfile = None if folder is None else folder / "Dockerfile"
    if dockerfile is not None and is_dockerfile(dockerfile) and search.lacks(exports):
        search.add(lambda: within(_SECONDS, lambda: dockerfile_texts(dockerfile, options), str(dockerfile)))
    return search.found


@dataclass(slots=True, kw_only=True)
class _Search:
    """What was found so far."""

    exports: Sequence[CacheExport]
    names: Names
    found: Texts | None = None

    def add(self, read: Callable[[], Texts]) -> None:
        """Read a source of names, as far as it can be read."""
        with suppress(CacheGraphError):
            texts = read()
            self.names = texts.named() | self.names
            self.found = texts if self.found is None else self.found | texts

    def lacks(self, exports: Iterable[CacheExport]) -> bool:
        """Tell whether one of these has too few names."""
        return any(_share(export, self.names) < ENOUGH for export in exports)


def _share(export: CacheExport, names: Names) -> float:
    """Give the share of records that have a name."""
    graph = ExportGraph(export, names)
    return sum(1 for name in graph.namings if name.name) / max(len(graph), 1)


def _layouts(exports: Iterable[CacheExport]) -> list[str]:
    """Give the directories that hold images with inline cache: their provenance lies beside them."""
    places = {export.store for export in exports if export.kind == "inline" and _is_local(export)}
    return [str(Path(place).absolute()) for place in sorted(places) if Path(place).is_dir()]


def _is_local(export: CacheExport) -> bool:
    return export.source.startswith("type=local,")


def _repositories(exports: Iterable[CacheExport]) -> dict[str, list[CacheExport]]:
    """Group the exports of registries by their repository."""
    found: dict[str, list[CacheExport]] = {}
    for export in exports:
        if not export.source.startswith("type=registry,"):
            continue
        with suppress(CacheGraphError):
            found.setdefault(parse_reference(parse(export.source).attrs["ref"]).name, []).append(export)
    return found


@dataclass(slots=True, kw_only=True)
class _Finder:
    """Looks through a repository."""

    exports: Sequence[CacheExport]
    options: Options
    search: _Search

    def look(self) -> None:
        """Read the provenance and the history of the images themselves, then of others that share their layers."""
        for export in self.exports[:_TAGS]:
            if export.kind == "inline":
                image = _image(export.source, self.options)
                self.search.add(partial(_texts, image, image.manifest().content))
        blobs = {layer.blob for export in self.exports for layer in export.config.layers}
        seen = {export.manifest_digest for export in self.exports}
        first = _image(self.exports[0].source, self.options)
        if not self.search.lacks(self.exports) or not blobs:
            return
        tags = list(islice(first.client.tags(first.reference.repository), _LISTED))
        for tag in _likely(tags, first.reference.tag or "")[:_TAGS]:
            image = replace(first, reference=replace(first.reference, tag=tag, digest=None))
            with suppress(CacheGraphError):
                manifest = image.manifest()
                if manifest.digest not in seen and _shares(image, parse_manifest(manifest.content), blobs):
                    self.search.add(partial(_texts, image, manifest.content))
                    if not self.search.lacks(self.exports):
                        return


def _image(source: str, options: Options) -> Image:
    return open_image(parse(source), options)


def _texts(image: Image, data: bytes) -> Texts:
    return texts_of_image(data, image.fetch, str(image.reference))


def _likely(tags: Iterable[str], wanted: str) -> list[str]:
    """Put the tags first that are likely to be images of the cache's build.

    Examples
    --------
    >>> _likely(["1.0", "cache-main", "latest", "main", "v2"], "cache-main")
    ['main', 'latest', '1.0', 'v2']
    """
    words = set(wanted.replace("_", "-").replace(".", "-").split("-")) - {"cache", "buildcache"}

    def order(tag: str) -> tuple[bool, int, bool, int]:
        return (
            not (tag in words or any(word and word in tag.split("-") for word in words)),
            _LIKELY.index(tag) if tag in _LIKELY else len(_LIKELY),
            "cache" in tag,
            len(tag),
        )

    return sorted((tag for tag in dict.fromkeys(tags) if tag != wanted), key=order)


def _shares(image: Image, manifest: Manifest, blobs: set[str]) -> bool:
    """Tell whether an image, or one of an index, has a layer of the cache."""
    images = (
        [manifest]
        if is_image(manifest)
        else [
            parse_manifest(image.fetch(child)) for child in child_manifests(manifest)[:_CHILDREN] if _is_platform(child)
        ]
    )
    return any(
        one.config is not None
        and one.config.media_type != CACHE_CONFIG
        and any(layer.digest in blobs for layer in one.layers or ())
        for one in images
    )


def _is_platform(child: Descriptor) -> bool:
    """Tell an image from its attestations."""
    return child.platform is None or child.platform.os != "unknown"
