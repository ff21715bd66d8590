"""Each cause of a miss, on the smallest project that shows it."""

from __future__ import annotations

import json
import re
import time

import msgspec
import pytest

import cachegraph as cg
from cachegraph.builds.cachemaps import operation_text
from cachegraph.builds.keys import record_digest
from cachegraph.builds.llb import AnyOp, Platform
from cachegraph.causes.lines import Line
from cachegraph.causes.words import age, listed
from cachegraph.core.digests import sha256
from cachegraph.errors import CacheGraphError, masked
from cachegraph.graph import CacheGraph
from tests.causes.project import Project

DOCKERFILE = """\
FROM busybox:1
ARG SHA
COPY package.json /app/
RUN npm ci
COPY src /app/src
RUN make
"""
FILES = {"Dockerfile": DOCKERFILE, "package.json": "{}", "src/app.js": "1", "src/b.js": "2"}


def first_miss(lines: list[Line]) -> Line:
    return next(line for line in lines if line.executed)


def reasons(lines: list[Line]) -> list[str]:
    """What is said of each line, without its age."""
    return [re.sub(r"\(.* ago\)", "(ago)", f"{line.line} {line.outcome}: {line.reason}") for line in lines]


def test_nothing_changed(project: Project) -> None:
    project.write(FILES)
    lines = project.lines(project.cache())
    assert [(line.line, line.executed) for line in lines] == [(3, False), (4, False), (5, False), (6, False)]
    assert lines[3].reason.startswith("from config")


def test_a_file_changed_since_a_commit(project: Project) -> None:
    project.write(FILES)
    commit = project.commit()
    cache = project.cache()
    project.write({"src/app.js": "3", "src/new.js": "4"})
    (project.root / "src/b.js").unlink()
    project.commit("more")
    lines = project.lines(cache)
    assert reasons(lines)[2:] == [
        f"5 runs: cached for commit {commit[:7]} (ago); since then src/app.js was changed, src/new.js was added, "
        "src/b.js was removed",
        "6 runs: line 5 is not cached, and this step stands on it",
    ]
    cause = lines[2].cause
    assert cause is not None
    assert cause.kind == "files"
    assert cause.commit == commit
    assert cause.paths == ("src/app.js", "src/new.js", "src/b.js")


def test_the_newest_commit_that_fits_is_named(project: Project) -> None:
    project.write(FILES)
    project.commit()
    cache = project.cache()
    project.write({"README.md": "not copied"})
    newer = project.commit("newer")
    project.write({"src/app.js": "3"})
    cause = first_miss(project.lines(cache)).cause
    assert cause is not None
    assert cause.commit == newer


def test_a_file_that_git_does_not_know(project: Project) -> None:
    project.write(FILES)
    project.commit()
    cache = project.cache()
    project.write({"src/tmp.log": "x"})
    line = first_miss(project.lines(cache))
    assert line.cause is not None
    assert line.cause.kind == "untracked"
    assert line.reason.endswith("; src/tmp.log is not in that commit")
    assert line.remedy == "leave it out with .dockerignore, or commit"


@pytest.mark.parametrize(
    ("mode", "remedy"),
    [(0o664, "chmod g-w src/app.js, or check out with a umask of 022"), (0o700, "chmod 644 src/app.js")],
)
def test_modes(project: Project, mode: int, remedy: str) -> None:
    project.write(FILES)
    cache = project.cache()
    (project.root / "src/app.js").chmod(mode)
    line = first_miss(project.lines(cache))
    assert line.cause is not None
    assert line.cause.kind == "modes"
    assert line.remedy == remedy
    assert f"{mode:o} here and 644 in the cache" in line.reason


def test_a_whole_checkout_with_another_umask(project: Project) -> None:
    project.write(FILES)
    cache = project.cache()
    for path in (project.root / "src").rglob("*"):
        path.chmod(0o664)
    line = first_miss(project.lines(cache))
    assert line.remedy == "chmod -R g-w ., or check out with a umask of 022"
    assert line.reason == (
        "the files are those of the cache, their modes are not: src/app.js and 1 more is 664 here and 644 in the cache"
    )


def test_the_git_folder_is_copied(project: Project) -> None:
    project.write({"Dockerfile": "FROM busybox:1\nCOPY . /\n"})
    project.commit()
    cache = project.cache()
    project.commit("empty")
    line = first_miss(project.lines(cache))
    assert line.reason == "the step takes .git, which every commit and every fetch changes"
    assert line.remedy == "leave .git out with .dockerignore"


def test_other_files_without_a_repository(project: Project) -> None:
    project.write(FILES)
    cache = project.cache()
    project.write({"src/app.js": "3"})
    assert first_miss(project.lines(cache)).reason == "the step is cached with other files than these"


def test_another_base_image(project: Project) -> None:
    project.write(FILES)
    cache = project.cache()
    project.write({"Dockerfile": DOCKERFILE.replace("busybox:1", "busybox:2")})
    line = first_miss(project.lines(cache))
    assert line.line == 3
    assert (
        line.reason
        == "the image docker.io/library/busybox:2 is another one than in the cache: it is sha256:d2a67de27d38 now"
    )


def test_another_platform(project: Project) -> None:
    project.write(FILES)
    cache = project.cache(platform="linux/arm64")
    line = first_miss(project.lines(cache, platform="linux/amd64"))
    assert line.cause is not None
    assert line.cause.kind == "platform"
    assert line.reason == "the cache was made for linux/arm64, and this build is for linux/amd64"


def test_an_argument_that_every_commit_changes(project: Project) -> None:
    project.write(FILES)
    first = project.commit()
    cache = project.cache(build_args={"SHA": first})
    second = project.commit("second", seconds=1_700_000_100)
    line = first_miss(project.lines(cache, build_args={"SHA": second}))
    assert line.line == 4
    assert line.reason == f"cached with SHA={first}, and this build has SHA={second}"
    assert line.remedy == "declare ARG SHA as late as it is needed: it counts for every RUN behind it"


@pytest.mark.parametrize(("args", "was"), [({"SHA": "x"}, "without it"), ({"SHA": "x", "TOKEN": "t"}, "without it")])
def test_an_argument_that_the_cache_was_made_without(project: Project, args: dict[str, str], was: str) -> None:
    project.write(FILES)
    cache = project.cache()
    line = first_miss(project.lines(cache, build_args=args))
    assert line.reason == f"cached {was}, and this build has SHA=x"


def test_the_value_of_a_secret_argument_is_not_shown(project: Project) -> None:
    project.write({"Dockerfile": "FROM busybox:1\nARG NPM_TOKEN=none\nRUN npm ci\n"})
    cache = project.cache()
    line = first_miss(project.lines(cache, build_args={"NPM_TOKEN": "hunter2"}))
    assert line.reason == "cached with another value of NPM_TOKEN, and this build has NPM_TOKEN"


def test_several_arguments_at_once(project: Project) -> None:
    text = "FROM busybox:1\nARG A=1\nARG B=2\nARG API_KEY=none\nARG C=3\nRUN make\n"
    project.write({"Dockerfile": text})
    cache = project.cache()
    line = first_miss(project.lines(cache, build_args={"A": "x", "API_KEY": "hunter22", "C": "3"}))
    assert line.reason == ("cached with A=1 and with another value of API_KEY, and this build has A=x and API_KEY")
    assert line.remedy == "declare ARG A and API_KEY as late as they are needed: they count for every RUN behind them"
    assert line.cause is not None
    assert line.cause.was is None


def test_a_secret_argument_is_in_no_error(project: Project) -> None:
    project.write({"Dockerfile": "FROM busybox:1\nARG NPM_TOKEN\nCOPY ${NPM_TOKEN} /\n"})
    with pytest.raises(CacheGraphError) as caught:
        project.build(None, {"NPM_TOKEN": "hunter2hunter2"})
    assert "hunter2" not in masked(str(caught.value))


def with_other_run_keys(project: Project) -> CacheGraph:
    """Give the cache of a build whose frontend writes RUN in another way."""
    made = project.build(None, None)
    config = json.loads(project.config())
    for step in made.steps:
        run = step.operation.op.exec
        if run and run.meta and step.record is not None:
            meta = msgspec.structs.replace(run.meta, remove_mount_stubs_recursive=False)
            text = operation_text(
                AnyOp(exec=msgspec.structs.replace(run, meta=meta)), 1, Platform(os="linux", architecture="amd64")
            )
            assert text is not None
            config["records"][step.record]["digest"] = record_digest(sha256(text), 0)
    return cg.from_config(json.dumps(config).encode())


def test_another_frontend(project: Project) -> None:
    project.write({"Dockerfile": "FROM busybox:1\nRUN make\n"})
    line = first_miss(project.lines(with_other_run_keys(project)))
    assert line.cause is not None
    assert line.cause.kind == "frontend"
    assert line.reason == "the cache has this line as another frontend writes it: another # syntax= or BuildKit"


def test_each_line_says_its_platform(project: Project) -> None:
    project.write(FILES)
    lines = project.lines(project.cache(platform="linux/arm64"), platform="linux/amd64,linux/arm64")
    assert {(line.line, line.platform, line.executed) for line in lines if line.line == 4} == {
        (4, "linux/amd64", True),
        (4, "linux/arm64", False),
    }


def test_the_text_of_an_instruction_changed_since_a_commit(project: Project) -> None:
    project.write(FILES)
    commit = project.commit()
    cache = project.cache()
    project.write({"Dockerfile": DOCKERFILE.replace("npm ci", "npm ci --omit=dev")})
    lines = project.lines(cache)
    assert reasons(lines)[1] == f"4 runs: cached for commit {commit[:7]} (ago) as 'RUN npm ci'"
    assert lines[1].cause is not None
    assert lines[1].cause.was == "RUN npm ci"


def test_a_new_last_step(project: Project) -> None:
    project.write(FILES)
    cache = project.cache()
    project.write({"Dockerfile": f"{DOCKERFILE}RUN make test\n"})
    line = first_miss(project.lines(cache))
    assert line.line == 7
    assert line.reason == "the cache ends before this step: it was made without it"


def test_a_cache_of_another_build(project: Project) -> None:
    project.write({"Dockerfile": "FROM scratch\nCOPY other /other\n", "other": "1"})
    cache = project.cache()
    project.write(FILES | {"Dockerfile": "FROM scratch\nCOPY src /src\nRUN make\n"})
    line = first_miss(project.lines(cache))
    assert line.reason == "the cache has nothing of this build: no base image, no file and no step of it"
    assert line.remedy == "check that --cache-from names a cache of this build"
    project.write({"Dockerfile": "FROM scratch\nCOPY other /other\nFROM scratch\nCOPY src /src\nCOPY --from=0 / /\n"})
    new = {line.line: line for line in project.lines(cache)}[4]
    assert new.reason == "the cache ends before this step: it was made without it"


def test_another_heredoc(project: Project) -> None:
    project.write({"Dockerfile": "FROM busybox:1\nCOPY <<EOF /a\none\nEOF\n"})
    cache = project.cache()
    project.write({"Dockerfile": "FROM busybox:1\nCOPY <<EOF /a\ntwo\nEOF\n"})
    assert first_miss(project.lines(cache)).reason.startswith("what the instruction writes itself, such as the text")


def test_what_a_stage_copied_is_followed_to_its_files(project: Project) -> None:
    dockerfile = "FROM scratch AS files\nCOPY src /s\nFROM busybox:1\nCOPY --from=files /s /t\nRUN make\n"
    project.write(FILES | {"Dockerfile": dockerfile})
    commit = project.commit()
    cache = project.cache()
    project.write({"src/app.js": "3"})
    lines = project.lines(cache)
    said = {line.line: line for line in lines}
    cause = said[2].cause
    assert cause is not None
    assert cause.commit == commit
    assert "src/app.js" in cause.paths


def test_what_a_run_makes_is_unknown(project: Project) -> None:
    dockerfile = "FROM busybox:1 AS made\nCOPY src /s\nRUN make\nFROM busybox:1\nCOPY --from=made /out /out\n"
    project.write(FILES | {"Dockerfile": dockerfile})
    cache = project.cache()
    project.write({"src/app.js": "3"})
    lines = {line.line: line for line in project.lines(cache)}
    assert lines[3].executed is True
    assert lines[5].executed is not False
    assert lines[5].unknown


def test_ages() -> None:
    now = time.time()
    assert age(int(now - 5), now) == "just now"
    assert age(int(now - 2 * 86_400 - 10), now) == "2 days ago"
    assert age(int(now - 3_700), now) == "1 hour ago"


def test_lists() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
