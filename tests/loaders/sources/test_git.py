"""Repositories by git's plumbing: names, commits as checkouts make them, and the real builds that took some."""

from __future__ import annotations

import http.server
import os
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from cachegraph.builds.content.digests import content_digest
from cachegraph.builds.content.hashing import Hasher
from cachegraph.builds.content.local import local_tree
from cachegraph.builds.content.nodes import Folder
from cachegraph.builds.content.selection import Selection
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.operations import GitOrigin
from cachegraph.errors import NotFoundError, SourceError
from cachegraph.loaders.sources.checkout import checked_out
from cachegraph.loaders.sources.git import run_git
from cachegraph.loaders.sources.history import GitHistory
from cachegraph.loaders.sources.remotes import RemoteSources
from cachegraph.loaders.sources.repository import Repository
from tests.builds.content.corpus import Case, cases, selections, write_source
from tests.builds.content.trees import paths
from tests.causes.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "project"
    root.mkdir()
    return Project(root)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Serve a folder of bare repositories over HTTP."""
    root = tmp_path / "served"
    root.mkdir()
    handler = partial(_Quiet, directory=str(root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", root
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serve(project: Project, root: Path, name: str = "r.git") -> None:
    """Put a repository where it can be fetched."""
    subprocess.run(["git", "clone", "--quiet", "--bare", str(project.root), str(root / name)], check=True)
    subprocess.run(["git", "-C", str(root / name), "update-server-info"], check=True)


def test_a_commit_is_what_a_checkout_makes(project: Project) -> None:
    project.write({"a": "1", "d/x.sh": "2"})
    (project.root / "d/x.sh").chmod(0o775)
    (project.root / "l").symlink_to("d/x.sh")
    commit = project.commit()
    with Repository(project.root / ".git") as repository:
        tree = repository.tree(commit)
        assert isinstance(tree, Folder)
        assert paths(tree) == {"/": "755", "/a": "644 '1'", "/d": "755", "/d/x.sh": "755 '2'", "/l": "-> d/x.sh"}
        inner = repository.tree(commit, "d")
        assert isinstance(inner, Folder)
        assert set(inner.children) == {"x.sh"}
        assert isinstance(repository.tree(commit, "none"), Unknown)


def test_objects_are_shared_between_commits(project: Project) -> None:
    project.write({"a": "1", "b": "1"})
    first = project.commit()
    project.write({"b": "2"})
    second = project.commit()
    with Repository(project.root / ".git") as repository:
        one, two = repository.tree(first), repository.tree(second)
        assert isinstance(one, Folder)
        assert isinstance(two, Folder)
        assert one.children["a"] is two.children["a"]
        assert one.children["b"] is not two.children["b"]


def test_what_git_converts_is_unknown(project: Project) -> None:
    project.write({"a": "1", ".gitattributes": "*.txt eol=crlf\n"})
    commit = project.commit()
    with Repository(project.root / ".git") as repository:
        tree = repository.tree(commit)
        found = content_digest(tree, [Selection(path="/")], Hasher())
    assert isinstance(found, Unknown)
    assert found.reason == ".gitattributes has git convert files at checkout"


def test_names_and_errors(project: Project) -> None:
    project.write({"a": "1"})
    commit = project.commit()
    with Repository(project.root / ".git") as repository:
        assert repository.resolve("main") == commit
        with pytest.raises(NotFoundError, match="none: no such revision"):
            repository.resolve("none")
        with pytest.raises(NotFoundError):
            repository.resolve("--exec=sh")
        with pytest.raises(NotFoundError, match="no such object"):
            repository.read("0" * 40)


def test_errors_hide_passwords() -> None:
    with pytest.raises(SourceError) as error:
        run_git("ls-remote", "--", "http://user:hunter2@127.0.0.1:9/x.git", timeout=20)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("remote", ["ext::sh -c true", "file:///etc", "--upload-pack=touch /tmp/x"])
def test_other_transports_are_refused(remote: str) -> None:
    with pytest.raises(SourceError):
        run_git("ls-remote", "--", remote)


def test_history(project: Project) -> None:
    project.write({"app/a": "1", "other/b": "1"})
    first = project.commit(seconds=1_700_000_000)
    project.write({"other/b": "2"})
    project.commit(seconds=1_700_000_100)
    project.write({"app/a": "3"})
    third = project.commit(seconds=1_700_000_200)
    history = GitHistory.of(project.root / "app")
    assert history is not None
    assert [(commit.name, commit.seconds) for commit in history.commits(10)] == [
        (third, 1_700_000_200),
        (first, 1_700_000_000),
    ]
    assert paths(history.tree(first)) == {"/": "top", "/a": "644 '1'"}
    assert history.file(first, str(project.root / "other" / "b")) == b"1"
    assert history.file(first, "/etc/passwd") is None
    history.close()


def test_no_history(tmp_path: Path) -> None:
    assert GitHistory.of(tmp_path) is None


def test_a_revision_on_disk(project: Project) -> None:
    project.write({"app/a": "1", "app/run": "2"})
    (project.root / "app/run").chmod(0o755)
    project.commit()
    project.write({"app/a": "changed"})
    before = os.umask(0o077)
    try:
        with checked_out(project.root / "app", "HEAD") as found:
            assert paths(local_tree(found.context)) == {"/": "top", "/a": "644 '1'", "/run": "755 '2'"}
            assert found.path(project.root / "app" / "a") == found.context / "a"
    finally:
        os.umask(before)
    assert project.git("status", "--short") == " M app/a\n"
    with pytest.raises(NotFoundError, match="no such revision"), checked_out(project.root, "nothing"):
        pass


class TestRemote:
    """A repository behind an address."""

    @pytest.fixture
    def remote(self, project: Project, served: tuple[str, Path]) -> tuple[str, dict[str, str]]:
        project.write({"f": "1", "sub/s": "s"})
        commits = {"first": project.commit()}
        project.git("tag", "light")
        project.git("tag", "-a", "-m", "t", "annotated", GIT_COMMITTER_DATE="1700000000 +0000")
        commits["tag"] = project.git("rev-parse", "annotated").strip()
        project.write({"f": "2"})
        commits["second"] = project.commit("second")
        serve(project, served[1])
        return f"{served[0]}/r.git", commits

    @pytest.mark.parametrize(
        ("ref", "commit", "tagged", "whole"),
        [
            ("", "second", "", "refs/heads/main"),
            ("main", "second", "", "refs/heads/main"),
            ("light", "first", "", "refs/tags/light"),
            ("annotated", "tag", "first", "refs/tags/annotated"),
            ("refs/tags/light", "first", "", "refs/tags/light"),
        ],
    )
    def test_which_commit(
        self, remote: tuple[str, dict[str, str]], ref: str, commit: str, tagged: str, whole: str
    ) -> None:
        found = RemoteSources().commit(GitOrigin(remote=remote[0], ref=ref))
        assert not isinstance(found, Unknown), found
        assert (found.commit, found.tagged, found.ref) == (remote[1][commit], remote[1].get(tagged, ""), whole)

    def test_the_files(self, remote: tuple[str, dict[str, str]]) -> None:
        sources = RemoteSources()
        tree = sources.repository(GitOrigin(remote=remote[0], ref="light"))
        assert isinstance(tree, Folder), tree
        assert paths(tree) == {"/": "755", "/f": "644 '1'", "/sub": "755", "/sub/s": "644 's'"}
        inner = sources.repository(GitOrigin(remote=remote[0], ref=remote[1]["second"], subdir="sub"))
        assert isinstance(inner, Folder)
        assert set(inner.children) == {"s"}
        # Times are in the key of the repository and in no content.
        dated = sources.repository(GitOrigin(remote=remote[0], ref="light", mtime="commit"))
        assert isinstance(dated, Folder)
        assert paths(dated) == paths(tree)
        sources.close()

    def test_a_name_that_is_not_there(self, remote: tuple[str, dict[str, str]]) -> None:
        found = RemoteSources().commit(GitOrigin(remote=remote[0], ref="none"))
        assert isinstance(found, Unknown)
        assert found.because == "refused"

    def test_a_checksum_that_does_not_fit(self, remote: tuple[str, dict[str, str]]) -> None:
        found = RemoteSources().commit(GitOrigin(remote=remote[0], ref="main", checksum="f" * 40))
        assert isinstance(found, Unknown)
        assert found.reason.startswith(f"main is at {remote[1]['second'][:12]}, not at ffffffffffff")

    def test_offline(self, remote: tuple[str, dict[str, str]]) -> None:
        sources = RemoteSources(offline=True)
        found = sources.commit(GitOrigin(remote=remote[0], ref="main"))
        assert isinstance(found, Unknown)
        assert found.reason.endswith("was not asked for main, since servers are not to be asked")
        named = sources.commit(GitOrigin(remote=remote[0], ref=remote[1]["first"]))
        assert not isinstance(named, Unknown)
        assert isinstance(sources.repository(GitOrigin(remote=remote[0], ref=remote[1]["first"])), Unknown)

    def test_nobody_there(self) -> None:
        found = RemoteSources().commit(GitOrigin(remote="http://127.0.0.1:9/x.git", ref="main"))
        assert isinstance(found, Unknown)
        assert found.because == "remote"


WITH_GIT = [case for case in (*cases(), *cases("mutations")) if case.data["git"]]


@pytest.mark.parametrize("case", WITH_GIT, ids=[case.name for case in WITH_GIT])
def test_the_content_of_real_builds(case: Case, tmp_path: Path) -> None:
    """Commit what the builds took, and hash it: commits, then content, are those of BuildKit."""
    write_source(case.data["source"], tmp_path)
    repositories = {name: rebuild(tmp_path, name, data) for name, data in case.data["git"].items()}
    for step in case.data["steps"]:
        for place, slot in enumerate(step["slots"]):
            source = case.data["steps"][step["inputs"][place]["step"]]
            if not slot["content_hashed"] or source["kind"] != "source:git":
                continue
            attributes = source["op"]["source"]["attrs"]
            if attributes.get("git.keepgitdir") == "true":
                continue
            with Repository(next(iter(repositories.values()))) as repository:
                tree = commit_tree(repository, source["op"]["source"])
                assert content_digest(tree, selections(step["op"], place), Hasher()) == slot["content"]


def rebuild(root: Path, name: str, data: dict[str, object]) -> Path:
    """Make the commits of a case again."""
    work = root / "work" / name
    work.mkdir(parents=True)
    made = Project(work)
    made.git("init", "--quiet", f"--initial-branch={data['branch']}")
    commits = data["commits"]
    assert isinstance(commits, list)
    for number, commit in enumerate(commits):
        subprocess.run(["cp", "-r", f"{root}/git/{name}/{number}/.", str(work)], check=True)
        found = made.commit(str(number), seconds=1_704_067_200)
        assert found == commit["commit"]
        if commit.get("tag"):
            made.git("tag", *(["-a", "-m", "t"] if commit["annotated"] else []), commit["tag"])
    return work / ".git"


def commit_tree(repository: Repository, source: dict[str, object]) -> Folder | Unknown:
    """Open what a source of a case names."""
    identifier = str(source["identifier"])
    _, _, fragment = identifier.partition("#")
    ref, _, folder = fragment.partition(":")
    return repository.tree(repository.resolve(ref or "HEAD"), folder)
