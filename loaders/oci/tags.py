"""Tags of the manifests that the index of an image layout lists.

::

    {"digest": "sha256:..", "annotations": {"io.containerd.image.name": "docker.io/acme/app:1",
                                            "org.opencontainers.image.ref.name": "1"}}

Source: BuildKit ``client/ociindex`` (``Get``).
"""

from __future__ import annotations

from collections.abc import Sequence

from cachegraph.loaders.oci.manifests import Descriptor
from cachegraph.text.clean import one_line
from cachegraph.text.words import some_of

__all__ = ["other_tags", "tag_of", "tags_in_words", "tags_of", "with_tag"]

_IMAGE_NAME = "io.containerd.image.name"
_REF_NAME = "org.opencontainers.image.ref.name"
_SHOWN_TAGS = 10


def with_tag(entries: list[Descriptor], tag: str) -> Descriptor | None:
    """Find the manifest of a tag as BuildKit does: the first by its image name, else the first by its tag."""
    for name in (_IMAGE_NAME, _REF_NAME):
        for entry in entries:
            if entry.annotations.get(name) == tag:
                return entry
    return None


def tag_of(entry: Descriptor) -> str | None:
    """Give the tag of a manifest."""
    return entry.annotations.get(_REF_NAME) or entry.annotations.get(_IMAGE_NAME)


def tags_of(entries: list[Descriptor]) -> list[str]:
    """Give the tags that are there."""
    return sorted({tag for entry in entries if (tag := tag_of(entry)) is not None})


def tags_in_words(tags: Sequence[str]) -> str:
    """List names, a few of many."""
    shown = [one_line(tag)[:100] for tag in tags[:_SHOWN_TAGS]]
    return some_of(shown, len(tags)) or "none"


def other_tags(entries: list[Descriptor]) -> str:
    """Say which tags are there, and how to see what has none."""
    tags = tags_of(entries)
    if tags:
        return f"tags there: {tags_in_words(tags)}; --all-tags reads them all"
    return f"no manifest there has a tag; digest={entries[0].digest} names one" if entries else "nothing is there"
