"""What a RUN of simple commands leaves, and what is not followed."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachegraph.builds import llb
from cachegraph.builds.content.commands import is_simple, run_commands
from cachegraph.builds.content.local import local_tree
from cachegraph.builds.content.nodes import Bytes, File, Folder, Metadata
from cachegraph.builds.content.scripts import read_script
from cachegraph.builds.content.unknown import Unknown
from tests.builds.content.trees import Layout, folder, paths, write

PATH = "PATH=/usr/bin:/bin"


def program(mode: int = 0o755, data: bytes = b"\x7fELF") -> File:
    return File(metadata=Metadata(mode=mode), blob=Bytes(data))


def image(more: Layout | None = None) -> Folder:
    """Make an image with busybox."""
    names = ("sh", "cat", "mkdir", "cp", "mv", "rm", "ln", "touch", "chmod")
    return folder(
        {
            "bin": {"busybox": program(), **dict.fromkeys(names, "/bin/busybox")},
            "dev": {},
            "proc": {},
            "sys": {},
            "usr": {"bin": {}},
            "etc": {},
            **(more or {}),
        }
    )


def execute(script: str, *env: str, cwd: str = "/", mounts: tuple[llb.Mount, ...] = (), user: str = "") -> llb.Exec:
    meta = llb.Meta(args=("/bin/sh", "-c", script), env=(PATH, *env), cwd=cwd, user=user)
    return llb.Exec(meta=meta, mounts=(llb.Mount(dest="/"), *mounts))


def left(script: str, more: Layout | None = None, *env: str, cwd: str = "/") -> dict[str, str]:
    """Give what differs after a RUN; what is gone is empty."""
    tree = image(more)
    made = run_commands(execute(script, *env, cwd=cwd), [tree])
    assert isinstance(made, Folder), made
    before, after = paths(tree), paths(made)
    return {path: after.get(path, "") for path in sorted(before | after) if before.get(path) != after.get(path)}


FILES: Layout = {"a": b"1\n", "b": b"2\n", "d": {"x.md": b"3\n", "y.md": b"4\n", ".z.md": b"5\n"}, "l": "/d"}


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("true", {}),
        ("echo a  'b  c' \"d\" > /o", {"/o": "644 'a b  c d\\n'"}),
        ("echo -n a>o; echo b >> o", {"/o": "644 'ab\\n'"}),
        ("printf 'a\\tb\\n' > /o", {"/o": "644 'a\\tb\\n'"}),
        ("cat a b > o", {"/o": "644 '1\\n2\\n'"}),
        ("cat /d/*.md > o # all", {"/o": "644 '3\\n4\\n'"}),  # not what begins with a dot
        ("cat /l/x.md", {}),
        ("cat a > b", {"/b": "644 '1\\n'"}),
        ("cat a >> b", {"/b": "644 '2\\n1\\n'"}),
        ("cat a \\\n  b > o &&\n  rm a", {"/o": "644 '1\\n2\\n'", "/a": ""}),
        ("echo x > /l/new", {"/d/new": "644 'x\\n'"}),
        ("mkdir -p /n/m && cd /n && touch m/f", {"/n": "755", "/n/m": "755", "/n/m/f": "644 ''"}),
        ("mkdir n && cp a d/x.md n/", {"/n": "755", "/n/a": "644 '1\\n'", "/n/x.md": "644 '3\\n'"}),
        ("cp a b", {"/b": "644 '1\\n'"}),
        ("mv a d/", {"/a": "", "/d/a": "644 '1\\n'"}),
        ("rm -rf d /none", {"/d": "", "/d/x.md": "", "/d/y.md": "", "/d/.z.md": ""}),
        ("rm l", {"/l": ""}),  # the link, not what it leads to
        ("ln -s ../x /d/k", {"/d/k": "-> ../x"}),
        ("chmod 4755 a; chmod u+x b", {"/a": "4755 '1\\n'", "/b": "744 '2\\n'"}),
        ("set -eu; echo a 2>&1 >/dev/null", {}),
        ("echo a > /dev/null 2>/dev/null", {}),
    ],
)
def test_what_simple_commands_leave(script: str, expected: dict[str, str]) -> None:
    assert left(script, FILES) == expected


def test_variables_are_those_of_the_build_and_files_are_made_in_the_working_folder() -> None:
    assert left('echo "v$V ${W}" > o', {"w": {}}, "V=1", "W=a  b", cwd="/w") == {"/w/o": "644 'v1 a  b\\n'"}


def test_the_modes_of_copies_are_cut_and_what_is_there_keeps_its_own() -> None:
    files = {"a": File(metadata=Metadata(mode=0o4777, uid=7), blob=Bytes(b"1")), "b": program(0o600)}
    assert left("cp a c; cp a b", files) == {"/c": "755 '1'", "/b": "600 '1'"}


@pytest.mark.parametrize(
    "script",
    [
        "date > /o",
        "cat a | cat > o",
        "cat a || true",
        "cat $(echo a) > o",
        "cat `echo a` > o",
        "echo a &",
        "if true; then echo a; fi",
        "X=1 echo a",
        "cat < a",
        "cat <<E > o\na\nE",
        "echo {a,b}",
        "echo ~",
        "echo [ab]",
        "! true",
        "echo 'a",
        "echo $1",
        "echo a &&",
        "echo a > ",
        "> o",
    ],
)
def test_what_means_more_is_not_read(script: str) -> None:
    assert not is_simple(execute(script))
    assert isinstance(run_commands(execute(script), [image(FILES)]), Unknown)


@pytest.mark.parametrize(
    "script",
    [
        "cat none > o",  # it fails
        "cat d",
        "mkdir d",
        "mkdir n/m",
        "echo 'a\\n' > o",  # shells differ
        "echo -e a > o",
        "printf '%s' > o",
        "cat -n a > o",
        "cat a a/../b > o",
        "cat a >> a",
        "cp -r d e",
        "ln a b2",
        "echo $HOME > o",  # the runtime sets it
        "echo $PWD > o",
        "echo a > /dev/x",
        "cat /proc/version > o",
        "cat /etc/hosts > o",
        "cat /* > o",  # mounted folders are among it
        "rm -rf /etc",
        "echo a > s/x",  # takes over its group
        "echo a > c",  # loses its capability
        "cat none* > o",
    ],
)
def test_what_cannot_be_followed_is_unknown(script: str) -> None:
    special: Layout = {
        "s": Folder(metadata=Metadata(mode=0o2755)),
        "c": File(metadata=Metadata(mode=0o755, xattrs=(("security.capability", b"x"),)), blob=Bytes(b"")),
    }
    made = run_commands(execute(script), [image({**FILES, **special})])
    assert isinstance(made, Unknown), script
    assert made.because == "run"


@pytest.mark.parametrize(
    "operation",
    [
        execute("true", user="1000"),
        execute("true", "LD_PRELOAD=/x.so"),
        execute("true", "ENV=/rc"),
        execute("true", cwd="/none"),
        llb.Exec(meta=llb.Meta(args=("/bin/bash", "-c", "true")), mounts=(llb.Mount(dest="/"),)),
        llb.Exec(meta=llb.Meta(args=("true",)), mounts=(llb.Mount(dest="/"),)),
    ],
)
def test_other_users_shells_and_surroundings_are_not_followed(operation: llb.Exec) -> None:
    assert isinstance(run_commands(operation, [image()]), Unknown)


@pytest.mark.parametrize("sh", [b"#!/bin/cat\n", b""])
def test_a_shell_that_is_none_is_not_taken_for_one(sh: bytes) -> None:
    made = run_commands(execute("true"), [folder({"bin": {"sh": program(data=sh)}})])
    assert isinstance(made, Unknown)


def test_a_program_under_another_name_is_not_taken_for_it() -> None:
    tree = image({"usr": {"bin": {"cat": "tac", "tac": program()}}, "a": b""})
    assert isinstance(run_commands(execute("cat a"), [tree]), Unknown)


def test_names_are_sorted_by_bytes_only_where_the_shell_does() -> None:
    assert isinstance(run_commands(execute("cat /d/* > o", "LANG=de_DE.UTF-8"), [image(FILES)]), Unknown)
    assert isinstance(run_commands(execute("cat /d/* > o", "LANG=C.UTF-8"), [image(FILES)]), Folder)


def mounted(script: str, *mounts: llb.Mount, more: Layout | None = None) -> dict[str, str] | str:
    source = folder({"s": {"f": b"s\n"}})
    made = run_commands(execute(script, mounts=mounts), [image(more), source])
    return made.reason if isinstance(made, Unknown) else {p: t for p, t in paths(made).items() if p.startswith("/o")}


def test_what_is_mounted_is_read_and_leaves_nothing() -> None:
    bind = llb.Mount(input=1, selector="/s", dest="/m", output=-1)
    assert mounted("cat /m/f /m/* > /o", bind) == {"/o": "644 's\\ns\\n'"}
    # What the image has in this place is hidden, a link too.
    assert mounted("cat /m/f > /o", bind, more={"m": {"f": "/a"}, "a": b"other"}) == {"/o": "644 's\\n'"}


def test_what_is_written_to_a_mount_or_read_from_a_cache_is_not_followed() -> None:
    bind = llb.Mount(input=1, selector="/s", dest="/m", output=-1)
    cache = llb.Mount(input=-1, dest="/c/d", output=-1, mount_type=3)
    assert mounted("echo a > /m/f && cat /m/f > /o", bind) == "/m/f is mounted, or holds what is"
    assert mounted("cat /c/d/f > /o", cache) == "/c/d/f is mounted"
    # The folder is there while it runs, and taken away afterwards unless something is put into it.
    assert isinstance(mounted("mkdir -p /c/e && echo a > /o", cache), str)
    assert mounted("echo a > /o", cache) == {"/o": "644 'a\\n'"}


def test_folders_that_the_runtime_makes_are_not_known_afterwards() -> None:
    tree = folder({"bin": {"sh": program()}})
    made = run_commands(execute("echo a > /o"), [tree])
    assert isinstance(made, Folder)
    assert {name: type(made.children[name]).__name__ for name in ("o", "dev", "proc", "sys")} == {
        "o": "File",
        "dev": "Unreadable",
        "proc": "Unreadable",
        "sys": "Unreadable",
    }


def test_words_are_read_as_a_shell_reads_them() -> None:
    (command,) = read_script("echo a\\ b'c'\"d$E\"$F") or ()
    assert ["".join(("$" if p.is_variable else "") + p.text for p in word) for word in command.words] == [
        "echo",
        "a bcd$E$F",
    ]


NAMES = st.sampled_from(["a", "b", "d", "d/x", "n", "n/m", "d/*", "l", "l/x", "'a'", "./b", "d/", "none", "*"])
COMMANDS = st.one_of(
    st.builds("echo {} {}".format, st.sampled_from(["x", "'x  y'", '"x$V"', "-n", "x\\ y", "a#b", "$V"]), NAMES),
    st.builds("cat {} {}".format, NAMES, NAMES),
    st.builds("{} {}".format, st.sampled_from(["mkdir", "mkdir -p", "rm", "rm -r", "rm -rf", "touch", "cd"]), NAMES),
    st.builds(
        "{} {} {}".format, st.sampled_from(["cp", "mv", "ln -s", "chmod 750", "chmod u+x", "chmod go-r"]), NAMES, NAMES
    ),
)
OUTPUTS = st.one_of(st.just(""), st.builds(" {} {}".format, st.sampled_from([">", ">>", "2>/dev/null >"]), NAMES))
SCRIPTS = st.lists(st.builds("{}{}".format, COMMANDS, OUTPUTS), min_size=1, max_size=5).map(" && ".join)


@given(SCRIPTS)
def test_a_real_shell_leaves_the_same_files(script: str) -> None:
    layout: Layout = {"a": b"1", "b": b"2\n", "d": {"x": b"3"}, "l": "d"}
    made = run_commands(execute(script, "V=v", cwd="/w"), [image({"w": layout})])
    if isinstance(made, Unknown):
        return
    with tempfile.TemporaryDirectory() as name:
        write(layout, Path(name))
        done = subprocess.run(
            ["/bin/sh", "-c", script], cwd=name, env={"PATH": os.environ["PATH"], "V": "v"}, umask=0o022, check=False,
            capture_output=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        real = paths(local_tree(name))
    followed = made.children["w"]
    assert isinstance(followed, Folder)
    assert {path: text for path, text in paths(followed).items() if path != "/"} == {
        path: text for path, text in real.items() if path != "/"
    }
