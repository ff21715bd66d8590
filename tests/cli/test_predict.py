"""``cachegraph predict``: what it prints, and how it ends."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from cachegraph.cli.app import app
from tests.causes.project import BASE, BASES, Project

DOCKERFILE = "FROM busybox:1\nCOPY package.json /app/\nRUN npm ci\nCOPY src /app/src\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "project"
    root.mkdir()
    made = Project(root)
    made.write({"Dockerfile": DOCKERFILE, "package.json": "{}", "src/app.js": "1"})
    return made


def run(project: Project, *arguments: str, cache: Path | None = None) -> Result:
    given = ["--image", f"busybox:1={BASE}", "--image", str(BASES), "--offline", "--builder", "linux/amd64", *arguments]
    if cache is not None:
        given += ["--cache-from", str(cache)]
    return CliRunner().invoke(app, ["predict", str(project.root), *given])


@pytest.fixture
def cache(project: Project, tmp_path: Path) -> Path:
    path = tmp_path / "cache.json"
    path.write_bytes(project.config())
    return path


def test_a_step_a_line(project: Project, cache: Path) -> None:
    project.write({"src/app.js": "2"})
    result = run(project, cache=cache)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0] == "Dockerfile: 1 of 3 steps run, 1 is loaded, 1 need not be looked at"
    assert [line.split("  ")[0] for line in lines[1:]] == ["2", "3", "4"]
    assert lines[3] == "4  COPY src /app/src        runs: the step is cached with other files than these"


def test_a_long_step_is_whole_where_nobody_looks(project: Project, cache: Path) -> None:
    step = f"RUN echo {'long ' * 20}end"
    project.write({"Dockerfile": f"FROM busybox:1\nCOPY package.json /app/\n{step}\n"})
    lines = run(project, cache=cache).output.splitlines()
    assert lines[1].startswith(f"2  {'COPY package.json /app/':<48}  cached")
    assert f"3  {step}  runs: " in lines[2]


def test_without_a_cache_everything_runs(project: Project) -> None:
    result = run(project)
    assert result.exit_code == 0
    assert result.output.startswith("Dockerfile: 3 of 3 steps run")


def test_the_builders_own_gateway_is_in_no_key(project: Project) -> None:
    gateway, address, other = (
        json.loads(run(project, "--add-host", host, "--format", "json").output)["steps"][1]["digest"]
        for host in ("db:host-gateway", "db:10.0.0.9", "cache:host-gateway")
    )
    assert gateway == address != other


@pytest.mark.parametrize(("option", "runs"), [(["--no-cache"], 3), (["--no-cache-filter", "none"], 0)])
def test_a_build_that_ignores_the_cache(project: Project, cache: Path, option: list[str], runs: int) -> None:
    result = run(project, *option, cache=cache)
    assert result.output.startswith(f"Dockerfile: {runs} of 3 steps run")


def test_json(project: Project, cache: Path) -> None:
    result = run(project, "--format", "json", cache=cache)
    answer = json.loads(result.output)
    assert answer["exact"] is True
    assert [(step["line"], step["executed"], step["stage"]) for step in answer["steps"]] == [
        (2, False, None),
        (3, False, None),
        (4, False, None),
    ]
    assert answer["steps"][2]["source"].startswith("type=config,src=")


def test_markdown_has_nothing_live(project: Project, tmp_path: Path) -> None:
    project.write({"Dockerfile": "FROM busybox:1\nRUN echo `<img src=x>` | @org/team\n"})
    result = run(project, "--format", "markdown")
    assert "<img" not in result.output
    assert " @org" not in result.output


@pytest.mark.parametrize(("wanted", "code"), [("", 1), ("4", 1), ("npm ci", 0), ("COPY src", 1), ("2", 0)])
def test_fail_on_miss(project: Project, cache: Path, wanted: str, code: int) -> None:
    project.write({"src/app.js": "2"})
    assert run(project, f"--fail-on-miss={wanted}", cache=cache).exit_code == code


def test_what_may_run_counts_as_a_miss_and_is_said(project: Project, cache: Path) -> None:
    project.write({"Dockerfile": "FROM private.example.com/base:1\nWORKDIR /app\nCOPY src /app/src\n"})
    assert run(project, cache=cache).exit_code == 0
    result = run(project, "--fail-on-miss", cache=cache)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == (
        "cachegraph: --fail-on-miss: line 2, line 3 may run, which cannot be told before the build; it counts as a miss"
    )
    assert run(project, "--fail-on-miss=3", cache=cache).exit_code == 1
    project.write({"Dockerfile": "FROM busybox:1\nRUN new\nCOPY --from=private.example.com/base:1 /a /b\n"})
    result = run(project, "--fail-on-miss", cache=cache)
    assert result.exit_code == 1
    assert "counts as a miss" not in result.stderr, "line 2 runs for sure"


def test_a_step_that_is_not_there_is_no_hit(project: Project, cache: Path) -> None:
    result = run(project, "--fail-on-miss=npm cii", cache=cache)
    assert result.exit_code == 2
    assert "--fail-on-miss npm cii: no step has this line or text" in result.stderr


def test_a_change_that_may_make_a_step_run_counts_as_a_miss(project: Project, cache: Path) -> None:
    project.commit()
    project.write({"Dockerfile": DOCKERFILE.replace("busybox:1", "private.example.com/base:1")})
    project.commit("other base")
    given = ("--compare", "HEAD~1", "HEAD", "--format", "json")
    changes = json.loads(run(project, *given, cache=cache).stdout)["changes"]
    assert {(change["after"], change["is_worse"]) for change in changes} == {("may run", None)}
    assert run(project, *given, "--fail-on-miss", cache=cache).exit_code == 1
    assert run(project, "--compare", "HEAD", "HEAD~1", "--fail-on-miss", cache=cache).exit_code == 0


def test_what_a_cache_has_in_the_place_of_a_step_is_named(project: Project, tmp_path: Path) -> None:
    old = {"Dockerfile": "FROM scratch\nCOPY src /a\nCOPY package.json /b\n"}
    project.write(old)
    cache = tmp_path / "cache.json"
    cache.write_bytes(project.config())
    project.write({"old": old["Dockerfile"], "Dockerfile": old["Dockerfile"].replace("/b", "/c")})
    said = "the cache has another step in this place: "
    assert f"{said}its text, its environment or its options are others" in run(project, cache=cache).stdout
    named = run(project, "--names", str(project.root / "old"), cache=cache).stdout
    assert f"{said}'COPY package.json /b (old:3)'" in named


def test_what_a_build_is_told_to_run_runs(project: Project, cache: Path) -> None:
    lines = run(project, "--no-cache", cache=cache).output.splitlines()
    assert lines[0] == "Dockerfile: 3 of 3 steps run, 0 need not be looked at"
    assert lines[3] == "4  COPY src /app/src        runs: the build was told to run it (no-cache)"
    assert "0 of 3 steps run" in run(project, "--no-cache-filter", "other", cache=cache).output


@pytest.mark.parametrize("option", [("--network", "none"), ("--add-host", "db:10.0.0.1"), ("--shm-size", "64m")])
def test_what_else_changes_the_key_of_a_run(project: Project, cache: Path, option: tuple[str, str]) -> None:
    lines = run(project, *option, cache=cache).output.splitlines()
    assert [line.split(": ")[0].split("  ")[-1].strip() for line in lines[1:]] == ["cached, loaded", "runs", "runs"]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--network", "bridge"), "network bridge"),
        (("--add-host", "db:gateway"), "'gateway' is no IP address"),
        (("--shm-size", "much"), "shm-size much"),
        (("--no-cache", "--no-cache-filter=a"), "leave out one of them"),
    ],
)
def test_options_that_docker_refuses_too(project: Project, option: tuple[str, ...], said: str) -> None:
    result = run(project, *option)
    assert result.exit_code == 2
    assert said in result.output


def test_compare(project: Project, cache: Path) -> None:
    commit = project.commit()
    project.write({"package.json": "{1}"})
    project.commit("deps")
    result = run(project, "--compare", "HEAD~1", "HEAD", "--fail-on-miss", cache=cache)
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert lines[0] == "HEAD~1 HEAD: 3 steps changed"
    assert lines[1].startswith(
        f"  line 2: this change makes COPY package.json /app/ uncached (cached for commit {commit[:7]} ("
    )
    assert lines[1].endswith("ago); since then package.json was changed)")
    same = run(project, "--compare", "HEAD", "HEAD", "--fail-on-miss", cache=cache)
    assert same.output == "HEAD HEAD: no step becomes cached or uncached\n"
    assert same.exit_code == 0


def test_compare_needs_a_repository(project: Project, cache: Path) -> None:
    result = run(project, "--compare", "HEAD~1", "HEAD", cache=cache)
    assert result.exit_code == 3
    assert "not in a git repository" in result.output


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (["--build-context", "x"], "--build-context x: not NAME=VALUE", 2),
        (["-f", "none"], "none: no such Dockerfile", 3),
        (["--cache-from", "/nowhere/at/all"], "/nowhere/at/all", 3),
        (["--target", "none"], "none", 3),
    ],
)
def test_what_cannot_be_done_is_said(project: Project, arguments: list[str], said: str, code: int) -> None:
    result = run(project, *arguments)
    assert result.exit_code == code
    assert said in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("name", "text", "option", "more"),
    [
        ("bake.json", {"target": {"app": {"context": "CONTEXT", "cache-from": ["CACHE"]}}}, "--bake", ["app"]),
        (
            "compose.json.yaml",
            {"services": {"app": {"build": {"context": "CONTEXT", "cache_from": ["CACHE"]}}}},
            "--compose",
            [],
        ),
        (
            "build.yml",
            {
                "jobs": {
                    "app": {
                        "steps": [
                            {
                                "uses": "docker/build-push-action@v6",
                                "with": {"context": "CONTEXT", "cache-from": "CACHE"},
                            }
                        ]
                    }
                }
            },
            "--workflow",
            [],
        ),
    ],
)
def test_builds_that_files_define(
    project: Project, cache: Path, tmp_path: Path, name: str, text: object, option: str, more: list[str]
) -> None:
    path = tmp_path / name
    path.write_text(json.dumps(text).replace("CONTEXT", str(project.root)).replace("CACHE", str(cache)))
    given = ["--image", f"busybox:1={BASE}", "--image", str(BASES), "--offline", "--builder", "linux/amd64"]
    where = f"{path}:app" if option == "--workflow" else str(path)
    result = CliRunner().invoke(app, ["predict", option, where, *more, *given])
    assert result.exit_code == 0, result.output
    assert result.output.startswith("app (Dockerfile): 0 of 3 steps run")
    answer = json.loads(CliRunner().invoke(app, ["predict", option, where, *more, *given, "--format", "json"]).output)
    assert [one["build"] for one in answer] == ["app"]


def test_what_bake_prints_is_read_from_standard_input(project: Project, cache: Path) -> None:
    target = {"context": str(project.root), "dockerfile-inline": DOCKERFILE, "cache-from": [str(cache)]}
    given = ["--image", f"busybox:1={BASE}", "--image", str(BASES), "--offline", "--builder", "linux/amd64"]
    (project.root / "Dockerfile").unlink()  # the text counts, wherever a file lies
    printed = json.dumps({"target": {"app": target}})
    result = CliRunner().invoke(app, ["predict", "--bake", "-", "app", *given], input=printed)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("app (dockerfile-inline): 0 of 3 steps run")
    project.write({".dockerignore": "src/more.js", "src/more.js": "2"})  # of the context: a text has none of its own
    again = CliRunner().invoke(app, ["predict", "--bake", "-", "app", *given], input=printed)
    assert again.output == result.output
    project.write({"other": DOCKERFILE.replace("npm ci", "npm install")})
    other = ["predict", "--bake", "-", "-f", str(project.root / "other"), *given]
    result = CliRunner().invoke(app, other, input=printed)
    assert result.output.startswith("app (other): 2 of 3 steps run")
    result = CliRunner().invoke(app, ["predict", "--bake", "-", *given], input=" ")
    assert result.exit_code == 2
    assert "there is nothing on standard input" in result.output


def test_one_file_of_builds_and_one_context(project: Project, cache: Path) -> None:
    result = CliRunner().invoke(app, ["predict", "--compose", str(cache), "--bake", str(cache)])
    assert result.exit_code == 2
    assert "--bake and --compose are given" in result.output
    result = CliRunner().invoke(app, ["predict", "a", "b"])
    assert result.exit_code == 2
    assert "2 contexts, a build has one" in result.output


def test_the_workflow_of_the_page_predicts_a_pull_request(
    project: Project, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "predict.md").read_text("utf-8")
    (text,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    workflow = yaml.safe_load(text)
    (job,) = workflow["jobs"].values()
    assert job["permissions"]["pull-requests"] == "write"
    commands = [step["run"] for step in job["steps"] if "run" in step]
    (command,) = [command for command in commands if command.startswith("cachegraph ")]
    project.commit()
    project.write({"package.json": "[]"})
    project.commit("second", seconds=1_700_000_100)
    monkeypatch.chdir(project.root)
    words = [word.replace("$CACHE", str(cache)) for word in shlex.split(command)[1:]]
    given = ["--image", f"busybox:1={BASE}", "--image", str(BASES), "--offline", "--builder", "linux/amd64"]
    result = CliRunner().invoke(app, [*words, *given])
    assert result.exit_code == 0, result.output
    said = Path("cache.md").read_text("utf-8").splitlines()
    assert said[0] == "`HEAD^1` HEAD: 3 steps changed"
    assert said[2].startswith("- line 2: this change makes COPY package.json `/app/` uncached (cached for commit ")
    # What is written is what the next steps take.
    assert [command for command in commands if "cache.md" in command][1:] == [
        'cat cache.md >> "$GITHUB_STEP_SUMMARY"',
        'gh pr comment "$NUMBER" --edit-last --create-if-none --body-file cache.md',
    ]


def test_without_a_cache_nothing_is_said_of_one(project: Project) -> None:
    project.commit()
    project.write({"src/app.js": "2"})
    project.commit("other")
    lines = run(project).output.splitlines()
    assert lines[1] == ("no cache is given (--cache-from), so this is what a builder does that has nothing of its own")
    assert [line.rpartition("  ")[2] for line in lines[2:]] == ["runs", "runs", "runs"]
    assert run(project, "--compare", "HEAD~1", "HEAD").output == (
        "HEAD~1 HEAD: no cache is given (--cache-from), so there is nothing that a change could make run again\n"
    )


def test_an_unknown_base_image_is_told_once_and_no_change_denied(project: Project, cache: Path) -> None:
    project.write({"Dockerfile": "FROM private.example.com/base:1\nWORKDIR /app\nCOPY src /app/src\nRUN make\n"})
    project.commit()
    project.write({"src/app.js": "2"})
    project.commit("other")
    result = run(project, "--offline", cache=cache)
    assert result.output.count("private.example.com/base:1 is in no layout or archive") == 1
    assert "may run: what it is could not be worked out" in result.output.splitlines()[1]
    assert result.output.splitlines()[-1].endswith(
        "may run: line 3 could not be worked out, and this step stands on it"
    )
    assert run(project, "--offline").output.startswith("Dockerfile: 3 of 3 steps run"), "there is no cache to have it"
    said = run(project, "--offline", "--compare", "HEAD~1", "HEAD", cache=cache).output
    assert said == (
        "HEAD~1 HEAD: no step is known to become cached or uncached; what becomes of 3 steps cannot be told\n"
    )
