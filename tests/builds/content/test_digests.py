"""Content digests by hand: each rule of BuildKit's ``cache/contenthash`` on the smallest tree that shows it."""

from __future__ import annotations

from hashlib import sha256

import pytest

from cachegraph.builds.content.digests import content_digest
from cachegraph.builds.content.gomatch import BadPatternError
from cachegraph.builds.content.hashing import Hasher, Limits
from cachegraph.builds.content.nodes import Bytes, File, Folder, Link, Metadata, Special, Unreadable, header
from cachegraph.builds.content.selection import Selection
from cachegraph.builds.content.unknown import Unknown
from tests.builds.content.trees import folder


def digest(data: bytes | str) -> str:
    return "sha256:" + sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def file_digest(data: bytes, mode: int = 0o644) -> str:
    head = f"namemode{mode}uid0gid0size{len(data)}typeflag0linknameunamegnamedevmajor0devminor0"
    return digest(head.encode() + data)


def folder_digest(mode: int = 0o755) -> str:
    return digest(f"namemode{mode}uid0gid0size0typeflag5linknameunamegnamedevmajor0devminor0")


def select(tree: Folder, *selections: Selection) -> str:
    found = content_digest(tree, selections, Hasher())
    assert isinstance(found, str)
    return found


def refused(tree: Folder, *selections: Selection) -> str:
    found = content_digest(tree, selections, Hasher())
    assert isinstance(found, Unknown)
    assert found.because == "refused"
    return found.reason


def test_a_file_is_hashed_with_its_header() -> None:
    tree = folder({"a": b"one\n"}, None)
    assert select(tree, Selection(path="/a")) == digest(file_digest(b"one\n"))


@pytest.mark.parametrize(
    ("made", "written"),
    [
        (Link(metadata=Metadata(mode=0o777), target="a/b"), "namemode511uid0gid0size0typeflag2linknamea/b"),
        (Special(metadata=Metadata(mode=0o644), flag="6"), "namemode420uid0gid0size0typeflag6linkname"),
        (
            File(metadata=Metadata(mode=0o4755, uid=7, gid=8), blob=Bytes(b"xy")),
            "namemode2541uid7gid8size2typeflag0linkname",
        ),
    ],
)
def test_headers(made: Link | Special | File, written: str) -> None:
    assert header(made) == f"{written}unamegnamedevmajor0devminor0".encode()


def test_a_device_has_its_numbers() -> None:
    device = Special(metadata=Metadata(mode=0o600), flag="3", major=1, minor=3)
    assert header(device).endswith(b"typeflag3linknameunamegnamedevmajor1devminor3")


def test_xattrs_are_sorted_and_the_kernels_own_are_left_out() -> None:
    xattrs = (("user.b", b"2"), ("security.selinux", b"no"), ("system.acl", b"no"), ("security.capability", b"\1\0"))
    made = File(metadata=Metadata(mode=0o644, xattrs=(*xattrs, ("user.a", b"1"))), blob=Bytes(b""))
    assert header(made).endswith(b"devminor0security.capability\1\0user.a1user.b2")


def test_a_folder_lists_its_header_and_its_children_by_bytes() -> None:
    tree = folder({"d": {"b": b"", "a!": b"", "a": {"x": b""}, "a b": b""}}, None)
    inner = digest(f"\0{folder_digest()}\0x{file_digest(b'')}")
    empty = file_digest(b"")
    assert select(tree, Selection(path="/d")) == digest(
        digest(f"\0{folder_digest()}\0a{inner}\0a b{empty}\0a!{empty}\0b{empty}")
    )


def test_the_top_of_a_local_source_has_an_empty_header() -> None:
    assert select(folder({}, None)) == digest(digest(f"\0{digest('')}"))
    assert select(folder({}, 0o755)) == digest(digest(f"\0{folder_digest()}"))


def test_the_mode_of_a_folder_counts() -> None:
    tree = folder({"d": folder({}, 0o700)}, None)
    assert select(tree, Selection(path="/d")) == digest(digest(f"\0{folder_digest(0o700)}"))


def test_a_name_of_the_byte_255_is_listed_beside_its_folder_too() -> None:
    name = b"\xffx".decode("utf-8", "surrogateescape")
    inner = digest(f"\0{folder_digest()}".encode() + b"\0\xffx" + file_digest(b"").encode())
    outer = f"\0{digest('')}\0d{inner}".encode() + b"\0d\0\xffx" + file_digest(b"").encode()
    assert select(folder({"d": {name: b""}}, None)) == digest(digest(outer))


def test_links_on_the_way_and_at_the_end_are_followed() -> None:
    tree = folder({"d": {"a": b"1"}, "l": "d", "abs": "/d/a", "up": "../../../d", "chain": "l2", "l2": "/abs"}, None)
    wanted = digest(file_digest(b"1"))
    for path in ("/d/a", "/l/a", "/abs", "/up/a", "/chain", "/d/../l/a"):
        assert select(tree, Selection(path=path, follow=True)) == wanted, path


def test_a_link_that_is_not_followed_is_hashed_itself() -> None:
    tree = folder({"l": "nowhere"}, None)
    link = digest(header(Link(metadata=Metadata(mode=0o777), target="nowhere")))
    assert select(tree, Selection(path="/l")) == digest(link)
    assert refused(tree, Selection(path="/l", follow=True)) == "/l: not found"


def test_links_in_a_circle_are_refused() -> None:
    tree = folder({"a": "b", "b": "a"}, None)
    assert refused(tree, Selection(path="/a", follow=True)) == "/a: more than 255 links lead on from it"


def test_a_path_that_is_not_there_is_refused() -> None:
    assert refused(folder({"a": b""}, None), Selection(path="/a/b")) == "/a/b: not found"


def test_several_paths_are_sorted_and_what_is_inside_another_is_dropped() -> None:
    tree = folder({"a": b"1", "d": {"x": b"2"}, "d2": b"3"}, None)
    inner = digest(f"\0{folder_digest()}\0x{file_digest(b'2')}")
    wanted = digest("\0".join((file_digest(b"1"), inner, file_digest(b"3"))))
    paths = ("/d2", "/d/x", "/a", "/d", "/a")
    assert select(tree, *(Selection(path=path) for path in paths)) == wanted


def test_a_wildcard_lists_what_it_matches() -> None:
    tree = folder({"d": {"a.txt": b"1", "b.txt": b"2", "c.md": b"", "e": {"f.txt": b""}}}, None)
    found = select(tree, Selection(path="/d/*.txt", wildcard=True))
    assert found == digest(digest(f"\0a.txt{file_digest(b'1')}\0b.txt{file_digest(b'2')}"))


def test_a_wildcard_takes_folders_whole() -> None:
    tree = folder({"a": {"x": b"1"}, "b": b""}, None)
    found = select(tree, Selection(path="/[a]", wildcard=True))
    assert found == digest(digest(f"\0a{folder_digest()}\0a\0x{file_digest(b'1')}"))


def test_one_match_of_the_same_base_name_is_its_own_digest() -> None:
    tree = folder({"d": {"x.txt": b"1"}}, None)
    assert select(tree, Selection(path="/*/x.txt", wildcard=True)) == digest(file_digest(b"1"))
    assert select(tree, Selection(path="/d/?.txt", wildcard=True)) == digest(digest(f"\0x.txt{file_digest(b'1')}"))


def test_a_wildcard_without_a_match_is_the_digest_of_nothing() -> None:
    assert select(folder({"a": b""}, None), Selection(path="/*.zip", wildcard=True)) == digest(digest(""))


def test_a_wildcard_below_a_link_keeps_the_links_name() -> None:
    tree = folder({"d": {"a.txt": b"1"}, "l": "d"}, None)
    found = select(tree, Selection(path="/l/*.txt", wildcard=True, follow=True))
    assert found == digest(digest(f"\0a.txt{file_digest(b'1')}"))


def test_include_patterns_bring_the_headers_of_the_folders_above() -> None:
    tree = folder({"p": {"q": {"a.go": b"1", "b.md": b""}, "r": {"c.md": b""}}}, None)
    found = select(tree, Selection(path="/", include=("p/q/*.go",)))
    head = folder_digest()
    assert found == digest(digest(f"\0p{head}\0p\0q{head}\0p\0q\0a.go{file_digest(b'1')}"))


def test_exclude_patterns_leave_out() -> None:
    tree = folder({"d": {"a": b"1", "b.md": b""}}, None)
    found = select(tree, Selection(path="/d", exclude=("*.md",)))
    assert found == digest(digest(f"\0{folder_digest()}\0a{file_digest(b'1')}"))


def test_a_required_path_must_be_included() -> None:
    tree = folder({"d": {"a": b"1"}}, None)
    selection = Selection(path="/", include=("d/b",), required=("/d/b",))
    assert refused(tree, selection) == "/d/b: not found"


def test_a_link_that_a_pattern_finds_at_the_top_is_followed() -> None:
    tree = folder({"l.txt": "d/a", "d": {"a": b"1"}}, None)
    found = select(tree, Selection(path="/*.txt", wildcard=True, follow=True))
    assert found == digest(digest(f"\0l.txt{file_digest(b'1')}"))


@pytest.mark.parametrize("pattern", ["/[", "/a[]", "/[b-", "/*\\"])
def test_a_malformed_wildcard_is_an_error(pattern: str) -> None:
    with pytest.raises(BadPatternError):
        content_digest(folder({"a": b""}), [Selection(path=pattern, wildcard=True)], Hasher())


def test_what_cannot_be_read_makes_only_what_takes_it_in_unknown() -> None:
    why = Unknown(because="unreadable", reason="/ctx/d: Permission denied")
    tree = folder({"d": folder({"": Unreadable(why)}), "a": b"1"}, None)
    assert content_digest(tree, [Selection(path="/")], Hasher()) == why
    assert content_digest(tree, [Selection(path="/d/x")], Hasher()) == why
    assert content_digest(tree, [Selection(path="/d/*.c", wildcard=True)], Hasher()) == why
    assert select(tree, Selection(path="/a")) == digest(file_digest(b"1"))


def test_an_unknown_tree_has_unknown_content() -> None:
    why = Unknown(because="run", reason="RUN make has to run first")
    assert content_digest(why, [Selection(path="/a")], Hasher()) is why


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(files=2), "more than 2 files and folders would have to be hashed"),
        (Limits(size=3), "more than 3 bytes would have to be hashed"),
        (Limits(seconds=-1), "hashing took more than -1 seconds"),
    ],
)
def test_limits(limits: Limits, reason: str) -> None:
    tree = folder({"a": b"12", "b": b"34"}, None)
    found = content_digest(tree, [Selection(path="/")], Hasher(limits=limits))
    assert isinstance(found, Unknown)
    assert found.because == "budget"
    assert found.reason.startswith(reason)
