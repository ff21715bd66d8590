"""What the keys of a build stand for that was computed of its source: operations, images and the files behind content.

Everything is filed under the digest that it was hashed to, so it says nothing of a key that it is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cachegraph.builds.content.digests import content_digest
from cachegraph.builds.content.included import included_paths
from cachegraph.builds.content.nodes import File, Folder, Link, Node, Special
from cachegraph.builds.content.selection import Selection, clean, without_repeats
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.content.walk import find
from cachegraph.builds.keys import Remotes, content_record, image_text, key_of
from cachegraph.builds.operations import ImageOrigin, Operation
from cachegraph.builds.plaintexts import Plaintext
from cachegraph.builds.trees import Trees
from cachegraph.core.digests import sha256
from cachegraph.solver.key_meanings import meaning_of
from cachegraph.solver.meanings import Meaning

__all__ = ["source_meanings"]

_MAX_FILES = 5000


def source_meanings(
    operations: Iterable[Operation], trees: Trees, remotes: Remotes | None = None
) -> dict[str, Meaning]:
    """Say what the keys of a build stand for.

    Parameters
    ----------
    operations : iterable of Operation
    trees : Trees
        Their files.
    remotes : Remotes, optional

    Returns
    -------
    dict of str to Meaning
        By the digest of a record; what is not known is left out.
    """
    found: dict[str, Meaning] = {}
    made: dict[str, Meaning] = {}  # by steps; what a source has in the same bytes is what somebody changed
    for operation in operations:
        keys = key_of(operation, remotes)
        if isinstance(keys, Unknown):
            continue
        texts, references = _texts(operation, keys.text, keys.map_digest)
        meaning = meaning_of(keys.record, texts, references)
        if meaning is not None:
            found[keys.record] = meaning
        for number, dependency in enumerate(keys.slots):
            if dependency.content is not None:
                source = operation.inputs[number]
                content = _content(source, dependency.content, trees)
                (found if source.op.source is not None else made).update(content)
    return made | found


def _texts(operation: Operation, text: bytes, map_digest: str) -> tuple[dict[str, Plaintext], dict[str, str]]:
    """Give what was hashed for an operation, as a daemon keeps it, and how its image is called."""
    record = f"{map_digest}@0".encode()
    texts = {sha256(record): Plaintext("string", (record,))}
    origin = operation.origin
    texts[map_digest] = Plaintext("json" if operation.op.source is None else "string", (text,))
    if not isinstance(origin, ImageOrigin):
        return texts, {}
    image = image_text(origin.digest, origin.platform)
    texts[sha256(image)] = Plaintext("json", (image,))
    return texts, {origin.digest: origin.reference}


def _content(source: Operation, selections: Sequence[Selection], trees: Trees) -> dict[str, Meaning]:
    """List the files behind a content key."""
    tree = trees.tree(source)
    digest = content_digest(tree, selections, trees.hasher)
    if isinstance(tree, Unknown) or isinstance(digest, Unknown):
        return {}
    facts: dict[str, str] = {}
    for selection in without_repeats(selections) or (Selection(path="/"),):
        for path, node in _selected(tree, selection):
            if len(facts) >= _MAX_FILES:
                break
            facts[path] = _described(node, trees)
    paths = ", ".join(selection.path.lstrip("/") or "the whole folder" for selection in selections)
    return {content_record(digest): Meaning(kind="content", title=paths, facts=facts)}


def _selected(tree: Folder, selection: Selection) -> Iterator[tuple[str, Node]]:
    """Go through what a selection takes, by its path in the tree."""
    path = clean(selection.path)
    if selection.is_plain:
        found = find(tree, path, follow=selection.follow)
        if not isinstance(found, Unknown) and found[1] is not None:
            yield from _below(path.strip("/"), found[1])
        return
    top = find(tree, "/", follow=True)
    if not isinstance(top, Unknown) and top[1] is not None:
        for one in included_paths(top[1], "", "" if path == "/" else path, selection):
            yield one.path.strip("/") or "the folder", one.node


def _below(path: str, node: Node) -> Iterator[tuple[str, Node]]:
    waiting: list[tuple[str, Node]] = [(path, node)]
    while waiting:
        here, one = waiting.pop()
        if here or not isinstance(one, Folder):
            yield here or "the file", one
        if isinstance(one, Folder):
            waiting += [
                (f"{here}/{name}".lstrip("/"), below) for name, below in sorted(one.children.items(), reverse=True)
            ]


def _described(node: Node, trees: Trees) -> str:
    match node:
        case File():
            digest = trees.hasher.digest(node)
            known = "" if isinstance(digest, Unknown) else f", {digest[7:15]}"
            return f"file, mode {node.metadata.mode:04o}, {node.blob.size} bytes{known}"
        case Link():
            return f"link to {node.target}"
        case Folder():
            return "folder" if node.metadata is None else f"folder, mode {node.metadata.mode:04o}"
        case Special():
            return f"device or pipe, mode {node.metadata.mode:04o}"
    return "cannot be read"
