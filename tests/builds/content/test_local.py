"""Local folders as the client sends them, and all that a folder can hold to lead a reader astray."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cachegraph.builds.content.digests import content_digest
from cachegraph.builds.content.hashing import Hasher
from cachegraph.builds.content.known import KnownFiles
from cachegraph.builds.content.local import DiskFile, local_tree
from cachegraph.builds.content.nodes import File, Folder, Special
from cachegraph.builds.content.selection import Selection
from cachegraph.builds.content.unknown import Unknown
from cachegraph.errors import NotFoundError, SourceError
from tests.builds.content.trees import Layout, folder, paths, write


def hashed(tree: Folder, path: str = "/") -> str | Unknown:
    return content_digest(tree, [Selection(path=path)], Hasher())


def test_what_is_on_disk_is_what_is_hashed(tmp_path: Path) -> None:
    layout: Layout = {"a": b"1", "d": {"b": b"2", "e": {}}, "l": "d/b", "out": "/etc/passwd"}
    write(layout, tmp_path)
    assert paths(local_tree(tmp_path)) == paths(folder(layout, None))
    assert hashed(local_tree(tmp_path)) == hashed(folder(layout, None))


def test_nothing_is_followed_out_of_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"s")
    context = tmp_path / "context"
    context.mkdir()
    write({"l": "../outside", "abs": str(outside), "up": ".."}, context)
    tree = local_tree(context)
    for path in ("/l/secret", "/abs/secret", "/up/outside/secret", "/../outside/secret"):
        found = content_digest(tree, [Selection(path=path, follow=True)], Hasher())
        assert isinstance(found, Unknown)
        assert found.because == "refused"


def test_a_link_put_in_the_place_of_a_folder_is_not_followed(tmp_path: Path) -> None:
    write({"d": {"a": b"1"}, "elsewhere": {"b": b"2"}}, tmp_path)
    tree = local_tree(tmp_path)
    assert set(tree.children) == {"d", "elsewhere"}
    (tmp_path / "d" / "a").unlink()
    (tmp_path / "d").rmdir()
    (tmp_path / "d").symlink_to("elsewhere")
    found = hashed(tree, "/d")
    assert isinstance(found, Unknown)
    assert found.because == "unreadable"
    assert found.reason.startswith(f"{tmp_path}/d: ")


def test_a_file_that_is_replaced_is_not_read(tmp_path: Path) -> None:
    write({"a": b"1"}, tmp_path)
    tree = local_tree(tmp_path)
    assert set(tree.children) == {"a"}
    (tmp_path / "b").write_bytes(b"2")
    (tmp_path / "b").replace(tmp_path / "a")
    found = hashed(tree, "/a")
    assert found == Unknown(
        because="unreadable", reason=f"{tmp_path}/a: it changed while the context was read; ask again"
    )


def test_fifos_sockets_and_devices_do_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o644)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        tree = local_tree(tmp_path)
        assert isinstance(tree.children["fifo"], Special)
        sent = tree.children["s"]
        assert isinstance(sent, File)
        assert sent.blob.size == 0
        assert isinstance(hashed(tree), str)


def test_hard_links_are_files(tmp_path: Path) -> None:
    write({"a": b"1", "d": {}}, tmp_path)
    (tmp_path / "d" / "b").hardlink_to(tmp_path / "a")
    assert hashed(local_tree(tmp_path)) == hashed(folder({"a": b"1", "d": {"b": b"1"}}, None))


def test_names_that_are_no_text(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"\xff\xfe")
    odd.write_bytes(b"x")
    (tmp_path / "new\nline").write_bytes(b"y")
    with_it = hashed(local_tree(tmp_path))
    odd.unlink()
    assert isinstance(with_it, str)
    assert with_it != hashed(local_tree(tmp_path))


def test_owners_and_times_do_not_count_and_modes_do(tmp_path: Path) -> None:
    write({"a": b"1"}, tmp_path)
    before = hashed(local_tree(tmp_path))
    os.utime(tmp_path / "a", (1, 1))
    assert hashed(local_tree(tmp_path)) == before
    (tmp_path / "a").chmod(0o664)
    assert hashed(local_tree(tmp_path)) != before


def test_a_folder_deeper_than_a_path_may_be_long(tmp_path: Path) -> None:
    at = tmp_path
    here = os.open(tmp_path, os.O_RDONLY)
    try:
        for _ in range(1200):
            os.mkdir("deep", dir_fd=here)
            inner = os.open("deep", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = inner
    finally:
        os.close(here)
    found = hashed(local_tree(at))
    assert isinstance(found, Unknown)
    assert found.reason.endswith("File name too long")
    subprocess.run(["rm", "-rf", str(tmp_path / "deep")], check=True)


def test_a_deep_folder_is_hashed(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(600):
        deep /= "d"
    deep.mkdir(parents=True)
    assert isinstance(hashed(local_tree(tmp_path)), str)


UNREADABLE = """
import os, sys
from cachegraph.builds.content.digests import content_digest
from cachegraph.builds.content.hashing import Hasher
from cachegraph.builds.content.local import local_tree
from cachegraph.builds.content.selection import Selection
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
tree = local_tree(sys.argv[1])
for path in ("/d", "/d/x", "/f", "/a", "/"):
    found = content_digest(tree, [Selection(path=path)], Hasher())
    print(path, found if isinstance(found, str) else found.reason)
"""


def test_what_may_not_be_read_is_named(tmp_path: Path) -> None:
    context = tmp_path / "c"
    context.mkdir()
    write({"a": b"1", "f": b"2", "d": {"x": b"3"}}, context)
    (context / "f").chmod(0)
    (context / "d").chmod(0)
    for parent in [context, *context.parents]:
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    done = subprocess.run(
        [sys.executable, "-c", UNREADABLE, str(context)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    lines = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert done.stderr == ""
    assert lines["/f"] == f"{context}/f: Permission denied"
    assert lines["/d"] == lines["/d/x"] == f"{context}/d: Permission denied"
    assert lines["/a"].startswith("sha256:")
    assert lines["/"].endswith("Permission denied")


@pytest.mark.parametrize(
    ("ignore", "kept"),
    [
        ((), {"/", "/a", "/d", "/d/b", "/d/e", "/d/e/c.log", "/f", "/f/g"}),
        (("d",), {"/", "/a", "/f", "/f/g"}),
        (("**/*.log",), {"/", "/a", "/d", "/d/b", "/d/e", "/f", "/f/g"}),
        (("d", "!d/e/c.log"), {"/", "/a", "/d", "/d/e", "/d/e/c.log", "/f", "/f/g"}),
        (("*", "!d/e"), {"/", "/d", "/d/e", "/d/e/c.log"}),
        (("*", "!**/b"), {"/", "/d", "/d/b"}),
        (("d/*", "!d/b", "f/g"), {"/", "/a", "/d", "/d/b", "/f"}),
    ],
)
def test_what_is_left_out(ignore: tuple[str, ...], kept: set[str], tmp_path: Path) -> None:
    write({"a": b"", "d": {"b": b"", "e": {"c.log": b""}}, "f": {"g": b""}}, tmp_path)
    assert set(paths(local_tree(tmp_path, ignore))) == kept


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such folder"):
        local_tree(tmp_path / "none")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SourceError, match="not a folder"):
        local_tree(tmp_path / "file")
    with pytest.raises(SourceError):
        local_tree("nul\0byte")


class TestKnownFiles:
    """Digests kept between runs."""

    def test_a_known_file_is_not_read_again(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write({"a": b"1"}, tmp_path)
        os.utime(tmp_path / "a", (1, 1))
        monkeypatch.setattr("cachegraph.builds.content.known._SETTLED", -5.0)
        known = tmp_path / "cache" / "files.db"
        first = content_digest(local_tree(tmp_path), [Selection(path="/a")], Hasher(known=KnownFiles(known)))
        monkeypatch.setattr(DiskFile, "digest", lambda *_: pytest.fail("it was read"))
        again = content_digest(local_tree(tmp_path), [Selection(path="/a")], Hasher(known=KnownFiles(known)))
        assert again == first

    def test_a_changed_file_is_read_again(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("cachegraph.builds.content.known._SETTLED", -5.0)
        write({"a": b"1"}, tmp_path)
        known = tmp_path.parent / f"{tmp_path.name}.db"
        for content, mode in ((b"1", 0o644), (b"2", 0o644), (b"2", 0o600)):
            (tmp_path / "a").write_bytes(content)
            (tmp_path / "a").chmod(mode)
            kept = content_digest(local_tree(tmp_path), [Selection(path="/a")], Hasher(known=KnownFiles(known)))
            assert kept == content_digest(local_tree(tmp_path), [Selection(path="/a")], Hasher())

    def test_a_file_changed_just_now_is_not_kept(self, tmp_path: Path) -> None:
        write({"a": b"1"}, tmp_path)
        known = KnownFiles(tmp_path / "known.db")
        node = local_tree(tmp_path).children["a"]
        assert isinstance(node, File)
        known.add(node.blob.identity, b"", "sha256:" + "0" * 64)
        known.write()
        assert known.get(node.blob.identity, b"") is None
        known.close()

    @pytest.mark.parametrize("damage", [b"not a database", b""])
    def test_a_damaged_database_is_done_without(self, damage: bytes, tmp_path: Path) -> None:
        context = tmp_path / "c"
        context.mkdir()
        write({"a": b"1"}, context)
        (tmp_path / "known.db").write_bytes(damage)
        hasher = Hasher(known=KnownFiles(tmp_path / "known.db"))
        assert content_digest(local_tree(context), [Selection(path="/")], hasher) == hashed(local_tree(context))

    def test_a_place_that_cannot_be_written_is_done_without(self, tmp_path: Path) -> None:
        write({"a": b"1"}, tmp_path)
        hasher = Hasher(known=KnownFiles(tmp_path / "a" / "known.db"))
        assert isinstance(content_digest(local_tree(tmp_path), [Selection(path="/a")], hasher), str)

    def test_many_at_once(self, tmp_path: Path) -> None:
        context = tmp_path / "c"
        context.mkdir()
        write({f"f{number}": bytes([number]) * 70_000 for number in range(20)}, context)
        answers: list[str | Unknown] = []

        def work() -> None:
            hasher = Hasher(known=KnownFiles(tmp_path / "known.db"))
            answers.append(content_digest(local_tree(context), [Selection(path="/")], hasher))
            hasher.known.close()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(answers) == {hashed(local_tree(context))}
