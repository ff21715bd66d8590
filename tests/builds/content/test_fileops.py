"""What file operations make of trees: fsutil's copy, owners, modes, archives."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable, Mapping

import msgspec
import pytest

from cachegraph.builds import llb
from cachegraph.builds.content.fileops import apply_file, merge_trees
from cachegraph.builds.content.layers import image_tree
from cachegraph.builds.content.modes import symbolic_mode
from cachegraph.builds.content.nodes import Bytes, File, Folder, Metadata, header, scratch
from cachegraph.builds.content.unknown import Unknown
from cachegraph.errors import UsageError
from tests.builds.content.trees import Layout, folder, paths

SOURCE: Layout = {"a": b"1", "d": {"x": b"2", "e": {"y.md": b"3"}}, "l": "d"}


def copy(src: str, dest: str, **options: object) -> llb.Copy:
    """Make a COPY as the Dockerfile frontend does."""
    usual = llb.Copy(
        src=src,
        dest=dest,
        mode=-1,
        follow_symlink=True,
        dir_copy_contents=True,
        create_dest_path=True,
        allow_wildcard=True,
        allow_empty_wildcard=True,
        timestamp=-1,
    )
    return msgspec.structs.replace(usual, **options)


Action = llb.Copy | llb.Mkfile | llb.Mkdir | llb.Rm


def run(action: Action, base: Folder | Unknown | None = None, source: Layout | Unknown = SOURCE) -> Folder | Unknown:
    """Do one action on a tree, or on scratch."""
    kind = msgspec.structs.replace(llb.AnyAction(), **{type(action).__name__.lower(): action})
    one = llb.FileAction(input=0, secondary_input=1, output=0, action=kind)
    second = source if isinstance(source, Unknown) else folder(source, None)
    return apply_file(llb.File(actions=(one,)), [base or scratch(), second])[0]


def made(action: Action, base: Folder | None = None, source: Layout = SOURCE) -> dict[str, str]:
    """Do one action and write what it makes, without the top."""
    tree = run(action, base, source)
    assert isinstance(tree, Folder), tree
    return {path: text for path, text in paths(tree).items() if path != "/"}


def refused(action: Action, base: Folder | None = None, source: Layout = SOURCE) -> str:
    """Do an action that BuildKit refuses."""
    tree = run(action, base, source)
    assert isinstance(tree, Unknown)
    assert tree.because == "refused"
    return tree.reason


def test_a_file_goes_to_a_name_or_into_a_folder() -> None:
    assert made(copy("/a", "/b")) == {"/b": "644 '1'"}
    assert made(copy("/a", "/b/")) == {"/b": "755", "/b/a": "644 '1'"}
    assert made(copy("/a", "/b"), folder({"b": {}})) == {"/b": "755", "/b/a": "644 '1'"}
    assert made(copy("/a", "/p/q/b")) == {"/p": "755", "/p/q": "755", "/p/q/b": "644 '1'"}


def test_a_folder_gives_its_content() -> None:
    assert made(copy("/d", "/t")) == {"/t": "755", "/t/x": "644 '2'", "/t/e": "755", "/t/e/y.md": "644 '3'"}
    assert made(copy("/l", "/t")) == made(copy("/d", "/t"))


def test_a_folder_that_is_there_keeps_its_header_and_its_files() -> None:
    there = folder({"t": folder({"z": b"9", "e": folder({}, 0o700)}, 0o711)})
    assert made(copy("/d", "/t"), there) == {
        "/t": "711",
        "/t/z": "644 '9'",
        "/t/x": "644 '2'",
        "/t/e": "755",
        "/t/e/y.md": "644 '3'",
    }


def test_a_folder_itself_without_its_content_only() -> None:
    action = copy("/d", "/t", dir_copy_contents=False)
    assert made(action) == {"/t": "755", "/t/x": "644 '2'", "/t/e": "755", "/t/e/y.md": "644 '3'"}
    assert "/t/d/x" in made(action, folder({"t": {}}))


def test_the_old_tree_stays_as_it_was() -> None:
    base = folder({"d": {"old": b"1"}})
    made(copy("/d", "/d"), base)
    assert paths(base) == paths(folder({"d": {"old": b"1"}}))


def test_links_at_the_target_are_followed_within_the_tree() -> None:
    base = folder({"l": "/real", "real": {}})
    assert made(copy("/a", "/l/"), base) == {"/l": "-> /real", "/real": "755", "/real/a": "644 '1'"}
    assert "/nowhere/x" in made(copy("/a", "/m/x"), folder({"m": "../../nowhere"}))


def test_kinds_that_do_not_fit_are_refused() -> None:
    assert refused(copy("/d", "/t"), folder({"t": b""})) == "/t: a folder cannot take the place of a file"
    assert refused(copy("/d", "/t"), folder({"t": {"x": {}}})) == "x: a file cannot take the place of a folder"
    assert refused(copy("/a", "/t/u"), folder({"t": b""})).endswith("t is not a folder")
    replacing = copy("/d", "/t", always_replace_existing_dest_paths=True)
    assert made(replacing, folder({"t": {"x": {"deep": b""}}}))["/t/x"] == "644 '2'"


def test_what_is_not_there_is_refused() -> None:
    assert refused(copy("/none", "/t")) == "/none: not found"
    assert refused(copy("/none/*", "/t")).endswith("is not there")
    assert made(copy("/d/*.zip", "/t")) == {}
    assert refused(copy("/d/*.zip", "/t", allow_empty_wildcard=False)) == "/d/*.zip: nothing matches"


def test_wildcards() -> None:
    assert made(copy("/*", "/t/")).keys() == {"/t", "/t/a", "/t/x", "/t/e", "/t/e/y.md", "/t/l"} - {"/t/l"}
    assert made(copy("/d/?", "/t/")) == {"/t": "755", "/t/x": "644 '2'", "/t/y.md": "644 '3'"}


def test_include_and_exclude() -> None:
    only = made(copy("/", "/t", include_patterns=("d/e",)))
    assert only == {"/t": "755", "/t/d": "755", "/t/d/e": "755", "/t/d/e/y.md": "644 '3'"}
    without = made(copy("/", "/t", exclude_patterns=("**/*.md", "a", "l")))
    assert without == {"/t": "755", "/t/d": "755", "/t/d/x": "644 '2'", "/t/d/e": "755"}
    kept = made(copy("/", "/t", exclude_patterns=("d", "!d/e/y.md")))
    assert kept["/t/d/e/y.md"] == "644 '3'"
    assert "/t/d/x" not in kept


def test_owner_and_mode() -> None:
    owner = llb.Owner(user=llb.UserOpt(user=llb.User(by_id=5)), group=llb.UserOpt(user=llb.User(by_id=6)))
    assert made(copy("/d", "/t", owner=owner, mode=0o600)) == {
        "/t": "600 5:6",
        "/t/x": "600 5:6 '2'",
        "/t/e": "600 5:6",
        "/t/e/y.md": "600 5:6 '3'",
    }
    symbolic = made(copy("/d", "/t", mode_str="g=u,o-r"))
    assert symbolic == {"/t": "755", "/t/x": "660 '2'", "/t/e": "771", "/t/e/y.md": "660 '3'"}


NAMES: Layout = {
    "etc": {"passwd": b"root:x:0:0::/:\n# c\napp:x:1000:1001::/:/bin/sh\nodd:x:y\n", "group": b"staff:x:50:\n"}
}


def named(user: str | None, group: str | None = None) -> llb.Owner:
    def option(name: str | None) -> llb.UserOpt | None:
        return llb.UserOpt(user=llb.User(by_name=llb.NamedUser(name=name, input=0))) if name else None

    return llb.Owner(user=option(user), group=option(group))


@pytest.mark.parametrize(
    ("owner", "shown"),
    [
        (named("app"), " 1000:1001"),
        (named("app", "staff"), " 1000:50"),
        (named("app", "nobody"), " 1000:1001"),
        (named("nobody"), ""),
        (named("odd"), ""),
        (named(None, "staff"), " 0:50"),
    ],
)
def test_names_of_users(owner: llb.Owner, shown: str) -> None:
    assert made(copy("/a", "/t", owner=owner), folder(NAMES))["/t"] == f"644{shown} '1'"


def test_a_name_in_a_tree_without_names_is_root() -> None:
    assert made(copy("/a", "/t", owner=named("app"))) == {"/t": "644 '1'"}


def test_mkdir_mkfile_and_rm() -> None:
    assert made(llb.Mkdir(path="/p/q", mode=0o755, make_parents=True)) == {"/p": "755", "/p/q": "755"}
    assert made(llb.Mkdir(path="/p", mode=0o700), folder({"p": {"x": b""}})) == {"/p": "755", "/p/x": "644 ''"}
    assert refused(llb.Mkdir(path="/p/q", mode=0o755)) == "/p: no such folder"
    assert made(llb.Mkfile(path="/f", mode=0o4755, data=b"x")) == {"/f": "755 'x'"}
    assert made(llb.Mkfile(path="/l", mode=0o600, data=b"x"), folder({"l": "/t"})) == {"/l": "-> /t", "/t": "600 'x'"}
    assert refused(llb.Mkfile(path="/", data=b"x")).endswith("a file cannot take the place of a folder")
    assert refused(llb.Mkfile(path="/p/f", data=b"x")) == "/p: no such folder"
    assert made(llb.Rm(path="/d"), folder({"d": {"x": b""}, "e": b""})) == {"/e": "644 ''"}
    assert made(llb.Rm(path="/*.a", allow_wildcard=True), folder({"1.a": b"", "2.b": b""})) == {"/2.b": "644 ''"}
    assert made(llb.Rm(path="/none", allow_not_found=True)) == {}
    assert refused(llb.Rm(path="/none")) == "/none: no such file"


def test_actions_feed_one_another_and_outputs_are_told_apart() -> None:
    operation = llb.File(
        actions=(
            llb.FileAction(input=-1, output=1, action=llb.AnyAction(mkfile=llb.Mkfile(path="/a", data=b"1"))),
            llb.FileAction(input=0, secondary_input=-1, output=0, action=llb.AnyAction(mkdir=llb.Mkdir(path="/b"))),
        )
    )
    trees = apply_file(operation, [])
    assert {output: set(paths(tree)) for output, tree in trees.items() if isinstance(tree, Folder)} == {
        1: {"/", "/a"},
        0: {"/", "/a", "/b"},
    }


def test_what_stands_on_the_unknown_is_unknown() -> None:
    why = Unknown(because="run", reason="RUN make has to run first")
    assert run(copy("/a", "/b"), why) == why
    assert run(copy("/a", "/b"), None, why) == why


def tar(members: Mapping[str, bytes | None], **fields: object) -> bytes:
    """Write an archive; None makes a folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.mode = 0o640 if data is not None else 0o750
            member.type = tarfile.REGTYPE if data is not None else tarfile.DIRTYPE
            member.size = len(data or b"")
            for field, value in fields.items():
                setattr(member, field, value)
            archive.addfile(member, io.BytesIO(data or b""))
    return buffer.getvalue()


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_add_unpacks_an_archive(compress: Callable[[bytes], bytes]) -> None:
    source: Layout = {"t.tar": compress(tar({"./": None, "d/": None, "d/f": b"1", "p/g": b"2"}, uid=7, gid=8))}
    action = copy("/t.tar", "/u", attempt_unpack_docker_compatibility=True)
    assert made(action, None, source) == {
        "/u": "755",
        "/u/d": "750 7:8",
        "/u/d/f": "640 7:8 '1'",
        "/u/p": "755",
        "/u/p/g": "640 7:8 '2'",
    }
    assert made(copy("/t.tar", "/u"), None, {"t.tar": b"x"}) == {"/u": "644 'x'"}


def test_add_copies_what_is_no_archive() -> None:
    for data in (b"", b"text", gzip.compress(b"text"), b"\x1f\x8b\x08broken"):
        action = copy("/f", "/u", attempt_unpack_docker_compatibility=True)
        tree = run(action, None, {"f": data})
        assert isinstance(tree, Folder)
        file = tree.children["u"]
        assert isinstance(file, File)
        assert file.blob == Bytes(data)


def test_an_archive_that_leads_out_is_refused() -> None:
    action = copy("/t", "/u", attempt_unpack_docker_compatibility=True)
    assert refused(action, None, {"t": tar({"../evil": b""})}).startswith("../evil: ")


def test_a_cut_archive_is_unknown() -> None:
    data = tar({"a": b"1" * 3000, "b": b"2" * 3000})[:4500]
    tree = run(copy("/t", "/u", attempt_unpack_docker_compatibility=True), None, {"t": data})
    assert isinstance(tree, Unknown)
    assert tree.because == "unpack"


def test_layers_take_away_what_lower_ones_have() -> None:
    lower = tar({"d/": None, "d/a": b"1", "d/b": b"2", "e/": None, "e/x": b"3", "f": b"4"})
    upper = tar({".wh.f": b"", "d/.wh.a": b"", "e/": None, "e/y": b"5", "e/.wh..wh..opq": b""})
    tree = image_tree([Bytes(lower), Bytes(gzip.compress(upper))])
    assert isinstance(tree, Folder)
    assert paths(tree) == {
        "/": "755",
        "/d": "750",
        "/d/b": "640 '2'",
        "/e": "750",
        "/e/y": "640 '5'",
    }


def test_a_damaged_layer_is_unknown() -> None:
    tree = image_tree([Bytes(b"\x1f\x8b\x08nothing")])
    assert isinstance(tree, Unknown)
    assert tree.reason.startswith("a layer cannot be read: ")


def test_hard_links_and_large_files_of_a_layer() -> None:
    large = bytes(range(256)) * 256
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("big")
        member.size = len(large)
        archive.addfile(member, io.BytesIO(large))
        link = tarfile.TarInfo("same")
        link.type, link.linkname = tarfile.LNKTYPE, "big"
        archive.addfile(link)
    tree = image_tree([Bytes(gzip.compress(buffer.getvalue()))])
    assert isinstance(tree, Folder)
    assert tree.children["same"] is tree.children["big"]
    file = tree.children["big"]
    assert isinstance(file, File)
    for mode in (0o644, 0o600):
        mine = File(metadata=Metadata(mode=mode), blob=Bytes(large))
        assert file.blob.digest(header(mine)) == mine.blob.digest(header(mine))


def test_merged_trees() -> None:
    below = folder({"d": folder({"a": b"1", "b": b"2"}, 0o700), "f": b"3"})
    above = folder({"d": folder({"b": {"c": b"4"}}, 0o711)})
    tree = merge_trees([below, above])
    assert isinstance(tree, Folder)
    assert paths(tree) == {
        "/": "755",
        "/d": "711",
        "/d/a": "644 '1'",
        "/d/b": "755",
        "/d/b/c": "644 '4'",
        "/f": "644 '3'",
    }


@pytest.mark.parametrize(
    ("text", "mode", "is_folder", "result"),
    [
        ("u=rwX,go=rX", 0o600, False, 0o644),
        ("u=rwX,go=rX", 0o600, True, 0o755),
        ("a+rX", 0o711, False, 0o755),
        ("go-w", 0o666, False, 0o644),
        ("u+s,+t", 0o755, False, 0o5755),
        ("g=u-w", 0o740, False, 0o750),
        ("=", 0o7777, False, 0o1000),
        ("o=g", 0o750, False, 0o755),
    ],
)
def test_symbolic_modes(text: str, mode: int, is_folder: bool, result: int) -> None:
    assert f"{symbolic_mode(text)(mode, is_folder):o}" == f"{result:o}"


@pytest.mark.parametrize("text", ["", "x", "u", "u=q", "u+r,", "8"])
def test_modes_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="is no mode"):
        symbolic_mode(text)
