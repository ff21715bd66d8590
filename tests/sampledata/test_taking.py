"""Samples on disk: whole, in the right place, whoever else asks for them."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import cachegraph as cg
from cachegraph.errors import AccessError, UnknownNameError, UsageError
from cachegraph.sampledata.archive import fingerprint, read

CODE = "import cachegraph as cg; print(cg.sample('web-oci'))"
PACKAGE = str(Path(__file__).parents[2])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home, with nothing in it."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    return tmp_path / "home"


def held(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def content(name: str) -> dict[str, bytes]:
    return {path: file.content for path, file in read(name).items()}


def process(*, prefix: str = "", **environment: str) -> subprocess.Popen[str]:
    env = {name: value for name, value in os.environ.items() if name not in {"HOME", "XDG_CACHE_HOME"}}
    return subprocess.Popen(
        [sys.executable, "-c", prefix + CODE],
        env={**env, "PYTHONPATH": PACKAGE, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_it_lies_in_the_users_cache_folder_under_its_own_name(home: Path) -> None:
    folder = cg.sample("web-max")
    assert folder == home / ".cache" / "cachegraph" / "samples" / fingerprint("web-max") / "web-max"
    assert held(folder) == content("web-max")
    assert repr(cg.load(folder)) == "<CacheGraph: 1 export, 19 records>"


def test_it_lies_where_xdg_cache_home_says_unless_that_is_relative(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    assert cg.sample("turns").is_relative_to(tmp_path / "caches" / "cachegraph")
    monkeypatch.setenv("XDG_CACHE_HOME", "caches")
    assert cg.sample("turns").is_relative_to(home / ".cache")


def test_what_is_there_is_left_and_what_was_lost_or_changed_is_put_right(home: Path) -> None:
    folder = cg.sample("cold")
    untouched, changed, lost = folder / "max.json", folder / "app" / "main.go", folder / "inline.json"
    before = untouched.stat().st_ino
    changed.write_text("package main // 3\n")
    lost.unlink()
    assert held(cg.sample("cold")) == content("cold")
    assert untouched.stat().st_ino == before


def test_modes_are_those_of_the_build_whatever_the_umask(home: Path) -> None:
    before = os.umask(0o077)
    try:
        folder = cg.sample("cold")
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()}
    assert modes == {0o644}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*")) if path.is_dir()} == {0o755}


def test_many_processes_at_once_get_the_same_whole_sample(tmp_path: Path) -> None:
    started = [process(HOME=str(tmp_path)) for _ in range(6)]
    said = {one.communicate()[0].strip() for one in started}
    assert [one.returncode for one in started] == [0] * 6
    (folder,) = map(Path, said)
    assert held(folder) == content("web-oci")


@pytest.mark.parametrize("home", ["file", ""], ids=["nothing can be written there", "nobody is at home"])
def test_without_a_cache_folder_it_lies_in_one_that_goes_with_the_process(home: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "temporary").mkdir()
    place = {"HOME": str(tmp_path / home)} if home else {}
    # Without HOME the account's own home would be asked for, and this test runs under one that has it.
    prefix = "" if home else "import pwd\ndel pwd.getpwuid\npwd.getpwuid = lambda uid: {}[uid]\n"
    done = process(prefix=prefix, TMPDIR=str(tmp_path / "temporary"), **place)
    folder = Path(done.communicate()[0].strip())
    assert done.returncode == 0
    assert folder.name == "web-oci"
    assert folder.is_relative_to(tmp_path / "temporary")
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_copy_is_ones_own(tmp_path: Path) -> None:
    folder = cg.sample("cold", tmp_path / "deep" / "mine")
    assert folder == tmp_path / "deep" / "mine"
    assert held(folder) == content("cold")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["mine"]


@pytest.mark.parametrize("there", ["file", "folder", "link"])
def test_a_copy_takes_no_place_that_is_taken(there: str, tmp_path: Path) -> None:
    place = tmp_path / "cold"
    if there == "file":
        place.write_text("mine")
    elif there == "folder":
        place.mkdir()
    else:
        place.symlink_to("nowhere")
    with pytest.raises(UsageError) as raised:
        cg.sample("cold", place)
    assert str(raised.value) == f"{place} is there already (name another folder, or remove it)"
    assert list(tmp_path.iterdir()) == [place]
    assert not place.is_dir() or list(place.iterdir()) == []


def test_a_copy_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AccessError, match=r"file/cold: .* \(name a folder that can be written\)"):
        cg.sample("cold", tmp_path / "file" / "cold")


def test_a_name_that_does_not_exist() -> None:
    with pytest.raises(UnknownNameError) as raised:
        cg.sample("web_maxx")
    message = str(raised.value)
    assert message.startswith("there is no sample 'web_maxx' (did you mean web-max? There are: web-max, web-min, ")
    assert all(sample.name in message for sample in cg.samples())


def test_the_list_is_folded_to_the_terminal_and_a_table_in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = repr(cg.samples())
    assert max(map(len, text.splitlines())) <= 80
    assert text.splitlines()[0].startswith("web-max                   A small web application")
    page = cg.samples()._repr_mimebundle_()["text/html"]
    assert page.count("<tr>") == len(cg.samples()) + 1
    assert "<code>web-oci</code></td><td>The same build with inline cache" in page
