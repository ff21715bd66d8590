"""What several caches bring that one build imports, when the build is not at hand: what each adds, what to prefer.

A build that imports them asks for some of their keys, and nobody knows here for which. What is certain: a cache whose
every loadable step another one can load adds nothing; one that can load every step that any can is enough alone. The
order matters (`cachegraph.solver.sources` says how much, for a build that is at hand).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.solver.caches import title
from cachegraph.text.words import plural, some_of

__all__ = ["Share", "Together", "together"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one cache brings: the exports of one source, which a build imports together.

    Attributes
    ----------
    source : str
        With the platform, where the source has one export only and that has a platform.
    loadable : int
        Keys of steps that it has a result for.
    only : int
        Those that no other of the caches has a result for.
    """

    source: str
    loadable: int
    only: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """What several caches bring.

    Attributes
    ----------
    shares : tuple of Share
        In the order given.
    steps : int
        Keys of steps that any of them has a result for.
    adds_nothing : tuple of str
        Caches that can be left out, one after the other, without losing a result.
    single : str or None
        The cache that is enough alone; None if none is.
    order : tuple of str
        How to list those that are left: the one with most results last.
    shared : int
        Keys of steps that two or more of those that are left hold, with a result or without.
    """

    shares: tuple[Share, ...]
    steps: int
    adds_nothing: tuple[str, ...]
    single: str | None
    order: tuple[str, ...]
    shared: int

    @property
    def sentences(self) -> tuple[str, ...]:
        """What to say of them; nothing where they have no key in common."""
        others = some_of(self.adds_nothing[:3], len(self.adds_nothing))
        nothing = f"{others} add{'s' if len(self.adds_nothing) == 1 else ''} nothing"
        if self.single is not None:
            every = f"every step that any of them has one for ({self.steps:,})"
            return (f"If one build imports them: {self.single} has a result for {every}. Import it alone: {nothing}.",)
        said = [f"{nothing}."] if self.adds_nothing else []
        if self.shared:
            are = "is" if self.shared == 1 else "are"
            said.append(
                f"{plural(self.shared, 'step')} {are} in several of them, and which one answers is a race: import "
                "the one that fits best alone, or list them in this order: "
                f"{', '.join(self.order)}. `cachegraph sources BUILD CACHE...` works it out for a build."
            )
        return tuple(f"If one build imports them: {one}" for one in said)


def together(exports: Iterable[ExportGraph]) -> Together | None:
    """Compare caches by the keys that they can load.

    Parameters
    ----------
    exports : iterable of ExportGraph

    Returns
    -------
    Together or None
        None if they are of fewer than two sources that can be imported, or what they can load is not known.
    """
    graphs = [graph for graph in exports if graph.import_error is None and graph.export.kind != "daemon"]
    if not all(graph.export.results_known for graph in graphs):
        return None
    # A build cannot import one platform of an image without the others, so the exports of a source are one cache.
    of_source: dict[str, list[ExportGraph]] = {}
    for graph in graphs:
        of_source.setdefault(graph.export.source, []).append(graph)
    if len(of_source) < 2:
        return None
    held = [_keys(own, loadable=True) for own in of_source.values()]
    titles = [title(own[0]) if len(own) == 1 else source for source, own in of_source.items()]
    times = Counter(key for keys in held for key in keys)
    shares = tuple(
        Share(source=name, loadable=len(keys), only=sum(times[key] == 1 for key in keys))
        for name, keys in zip(titles, held, strict=True)
    )
    # The smallest first, so that of two equal ones, and of three that hold each other's, the right ones stay.
    dropped: list[int] = []
    for place in sorted(range(len(held)), key=lambda place: (len(held[place]), -place)):
        if len(dropped) < len(held) - 1 and all(times[key] > 1 for key in held[place]):
            dropped.append(place)
            for key in held[place]:
                times[key] -= 1
    kept = [place for place in range(len(held)) if place not in dropped]
    every = [_keys(own, loadable=False) for own in of_source.values()]
    seen = Counter(key for place in kept for key in every[place])
    order = sorted(kept, key=lambda place: (len(held[place]), -place))
    return Together(
        shares=shares,
        steps=len(times),
        adds_nothing=tuple(titles[place] for place in sorted(dropped)),
        single=titles[kept[0]] if len(kept) == 1 and held[kept[0]] else None,
        order=tuple(titles[place] for place in order),
        shared=sum(count > 1 for count in seen.values()),
    )


def _keys(exports: Iterable[ExportGraph], *, loadable: bool) -> set[str]:
    """Give the keys of the steps that a cache holds, or of those that it can load."""
    return {
        graph.key_ids[index]
        for graph in exports
        for index in range(len(graph))
        if not graph.is_root(index) and (graph.loadable[index] or not loadable)
    }
