"""Laws of content: what must hold for every tree, pattern and archive."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import tarfile
import tempfile
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cachegraph.builds import llb
from cachegraph.builds.content.digests import content_digest
from cachegraph.builds.content.fileops import apply_file
from cachegraph.builds.content.hashing import Hasher
from cachegraph.builds.content.ignore import parse_ignore
from cachegraph.builds.content.ignored import without_ignored
from cachegraph.builds.content.layers import image_tree
from cachegraph.builds.content.local import local_tree
from cachegraph.builds.content.modes import symbolic_mode
from cachegraph.builds.content.nodes import Bytes, File, Folder, Link, Node, header, scratch
from cachegraph.builds.content.selection import Selection
from cachegraph.builds.content.unknown import Unknown
from cachegraph.errors import CacheGraphError
from tests.builds.content.trees import Layout, folder, write

NAMES = st.text(st.sampled_from("ab .-é*["), min_size=1, max_size=3).filter(lambda name: name.strip(".") != "")
LEAVES = st.one_of(st.binary(max_size=8), st.sampled_from(["a", "../b", "/a/b", "nowhere"]))
LAYOUTS: st.SearchStrategy[Layout] = st.recursive(
    st.dictionaries(NAMES, LEAVES, max_size=4),
    lambda inner: st.dictionaries(NAMES, st.one_of(LEAVES, inner), max_size=4),
    max_leaves=12,
)
PATTERNS = st.text(st.sampled_from("ab/*?[]!^-.\\ é#"), min_size=1, max_size=8)
# A busy machine is no reason to call a law broken.
law = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def digest(tree: Folder | Unknown, path: str = "/", *, wildcard: bool = False, follow: bool = False) -> str | Unknown:
    return content_digest(tree, [Selection(path=path, wildcard=wildcard, follow=follow)], Hasher())


def plain(node: Node) -> str:
    """Hash as the description of the format says, without anything clever."""
    if isinstance(node, Folder):
        listed = b"\0" + f"sha256:{sha256(header(node)).hexdigest()}".encode()
        for name in sorted(node.children, key=os.fsencode):
            listed += b"\0" + os.fsencode(name) + plain(node.children[name]).encode()
        return f"sha256:{sha256(listed).hexdigest()}"
    assert isinstance(node, File | Link)
    data = node.blob.data if isinstance(node, File) and isinstance(node.blob, Bytes) else b""
    return f"sha256:{sha256(header(node) + data).hexdigest()}"


def whole(digest_of_tree: str) -> str:
    """Hash one selection's digest, as an operation does."""
    return f"sha256:{sha256(digest_of_tree.encode()).hexdigest()}"


@law
@given(LAYOUTS)
def test_a_folder_is_its_header_and_its_sorted_children(layout: Layout) -> None:
    tree = folder(layout, None)
    assert digest(tree) == whole(plain(tree))


@law
@given(LAYOUTS)
def test_a_folder_on_disk_is_the_folder_in_memory(layout: Layout) -> None:
    with tempfile.TemporaryDirectory() as place:
        write(layout, Path(place))
        assert digest(local_tree(place)) == digest(folder(layout, None))


@law
@given(LAYOUTS)
def test_the_order_of_names_does_not_count(layout: Layout) -> None:
    tree = folder(layout)
    turned = Folder(metadata=tree.metadata, children=dict(reversed(list(tree.children.items()))))
    assert digest(turned) == digest(tree)


@law
@given(LAYOUTS)
def test_what_is_copied_whole_keeps_its_content(layout: Layout) -> None:
    assume(layout)
    copy = llb.Copy(src="/d", dest="/t", mode=-1, dir_copy_contents=True, create_dest_path=True, timestamp=-1)
    action = llb.FileAction(input=-1, secondary_input=0, output=0, action=llb.AnyAction(copy=copy))
    source = folder({"d": layout}, None)
    made = apply_file(llb.File(actions=(action,)), [source])[0]
    assert digest(made, "/t") == digest(source, "/d")


@law
@given(LAYOUTS, NAMES)
def test_a_changed_file_changes_what_takes_it_and_nothing_else(layout: Layout, name: str) -> None:
    assume("d" not in layout)
    one = folder({**layout, "d": {name: b"1"}}, None)
    two = folder({**layout, "d": {name: b"2"}}, None)
    assert digest(one) != digest(two)
    assert digest(one, "/d") != digest(two, "/d")
    for other in layout:
        assert digest(one, f"/{other}") == digest(two, f"/{other}")


@law
@given(LAYOUTS)
def test_a_pattern_that_matches_nothing_changes_nothing(layout: Layout) -> None:
    tree = folder(layout, None)
    assert digest(without_ignored(tree, ("nothing/of/this/name", "!neither"))) == digest(tree)


@law
@given(LAYOUTS)
def test_leaving_a_name_out_is_not_having_it(layout: Layout) -> None:
    assume("x" not in layout)
    tree = folder({**layout, "x": {"y": b"1"}}, None)
    assert digest(without_ignored(tree, ("x",))) == digest(folder(layout, None))


@law
@given(LAYOUTS)
def test_a_star_is_all_there_is_at_the_top(layout: Layout) -> None:
    """Another name that no wildcard matches does not count, and one that it matches does."""
    assume("x.go" not in layout)
    tree = folder(layout, None)
    for name, counts in (("x.go", True), ("x.md", False)):
        more = folder({**layout, name: b"1"}, None)
        same = digest(more, "/*.go", wildcard=True) == digest(tree, "/*.go", wildcard=True)
        assert same is not counts


@law
@given(st.lists(PATTERNS, max_size=4), LAYOUTS)
def test_patterns_never_break(patterns: list[str], layout: Layout) -> None:
    with contextlib.suppress(CacheGraphError):
        kept = without_ignored(folder(layout, None), parse_ignore("\n".join(patterns).encode()))
        assert isinstance(digest(kept), str)


@law
@given(PATTERNS, LAYOUTS)
def test_wildcards_never_break(pattern: str, layout: Layout) -> None:
    with contextlib.suppress(CacheGraphError):
        found = digest(folder(layout, None), f"/{pattern}", wildcard=True, follow=True)
        assert isinstance(found, str) or found.because == "refused"


@law
@given(st.binary(max_size=200))
def test_ignore_files_never_break(data: bytes) -> None:
    with contextlib.suppress(CacheGraphError):
        parse_ignore(data)


@law
@given(st.binary(max_size=600))
def test_archives_never_break(data: bytes) -> None:
    tree = image_tree([Bytes(data)])
    assert isinstance(tree, Folder) or tree.because == "unreadable"


@law
@given(st.data())
def test_damaged_archives_never_break(data: st.DataObject) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, kind in (("d", tarfile.DIRTYPE), ("d/é" * 40, tarfile.REGTYPE), ("l", tarfile.SYMTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.size, member.linkname = kind, 3 if kind == tarfile.REGTYPE else 0, "d"
            archive.addfile(member, io.BytesIO(b"abc"))
    written = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 5))):
        written[data.draw(st.integers(0, len(written) - 1))] = data.draw(st.integers(0, 255))
    plain_or_not = bytes(written) if data.draw(st.booleans()) else gzip.compress(bytes(written))
    tree = image_tree([Bytes(plain_or_not)])
    assert isinstance(tree, Folder) or tree.because in ("unreadable", "refused")


@law
@given(st.text(st.sampled_from("ugoa+-=rwxXst,"), max_size=8), st.integers(0, 0o7777), st.booleans())
def test_modes_stay_modes(text: str, mode: int, is_folder: bool) -> None:
    with contextlib.suppress(CacheGraphError):
        assert 0 <= symbolic_mode(text)(mode, is_folder) <= 0o7777


@pytest.mark.parametrize("tree", [scratch(), folder({}, None)])
def test_an_empty_tree_has_content(tree: Folder) -> None:
    assert isinstance(digest(tree), str)


def test_trees_can_be_deep() -> None:
    made: Node = folder({"f": b"1"})
    for _ in range(5_000):
        made = Folder(metadata=scratch().metadata, children={"d": made})
    assert isinstance(made, Folder)
    assert isinstance(digest(made), str)
