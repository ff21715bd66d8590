"""Every fenced block of README and pages is run by a test, or stands here with the reason why not."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from cachegraph.loaders.specs.parse import parse as parse_spec
from docs.tools.commands import commands
from tests.docs.blocks import PAGES, ROOT, Block, blocks, calls, parse, words

RUN = {
    ("README.md", "console"): "tests/test_docs.py::test_the_pages_commands_print_what_they_show",
    ("README.md", "python"): "tests/test_docs.py::test_the_readmes_python_runs",
    ("README.md", "text"): "tests/test_docs.py::test_the_answer_that_the_readme_begins_with_is_true",
    ("docs/cache.md", "console"): "tests/docs/test_reference.py::test_a_page_works",
    ("docs/cache.md", "dockerfile json"): (
        "tests/docs/test_reference.py::test_the_record_that_the_picture_book_takes_apart_is_a_real_one"
    ),
    ("docs/ci.md", "console"): "tests/docs/test_reference.py::test_a_page_works",
    ("docs/ci.md", "toml"): "tests/docs/test_reference.py::test_the_settings_on_the_page_about_ci_are_read",
    ("docs/cli.md", "text"): "tests/docs/test_blocks.py::test_the_examples_of_every_command_are_understood",
    ("docs/daemon.md", "console"): "tests/docs/test_reference.py::test_the_page_on_daemons",
    ("docs/developers/*.md", "*"): "tests/test_recipes.py::test_a_recipe_works",
    ("docs/explain.md", "console"): "tests/test_explain_page.py::test_its_commands",
    ("docs/explain.md", "python"): "tests/test_explain_page.py::test_its_python",
    ("docs/how-to/read-a-cache.md", "console"): "tests/docs/test_how_to.py::test_reading_caches_from_everywhere",
    ("docs/how-to/try-it.md", "console"): "tests/docs/test_how_to.py::test_trying_everything",
    ("docs/how-to/watch-a-fleet.md", "console"): "tests/docs/test_how_to.py::test_watching_a_fleet",
    ("docs/how-to/*.md", "console python yaml"): "tests/docs/test_how_to.py::test_a_page_works",
    ("docs/ops.md", "console cypher"): "tests/docs/test_reference.py::test_the_operations_handbook",
    ("docs/predict.md", "yaml"): "tests/cli/test_predict.py::test_the_workflow_of_the_page_predicts_a_pull_request",
    ("docs/report.md", "console"): "tests/docs/test_reference.py::test_a_page_works",
    ("docs/rules.md", "*"): "tests/lint/test_rules.py::test_the_bad_example_has_this_finding_and_no_other",
    ("docs/server.md", "ini"): "tests/docs/test_reference.py::test_the_resolvers_settings_are_a_file_of_that_kind",
    ("docs/tutorials/*.md", "console"): "tests/test_docs.py::test_the_pages_commands_print_what_they_show",
    ("docs/tutorials/*.md", "python"): "tests/test_docs.py::test_a_tutorials_python_runs_from_top_to_bottom",
    ("docs/tutorials/cold-build.md", "yaml"): "tests/docs/test_blocks.py::test_the_cure_of_the_tutorial_is_understood",
    ("docs/tutorials/fleet.md", "sh"): "tests/stores/test_fleet_tutorial.py::test_its_commands",
    ("docs/verdict.md", "python"): "tests/docs/test_reference.py::test_a_page_works",
}
"""Page and languages, and the test that does what the block says; the first that fits counts."""

_SERVER = "tests/server starts and stops real servers; here its options are read"
_OTHERS = "a file of a forge or another program; what it calls of cachegraph is read by Click"
NOT_RUN = {
    ("README.md", "flowchart LR"): "a drawing",
    ("README.md", "make demo    #"): "the tests are run by it",
    ("README.md", "pip install .  "): "sets up what the tests run in",
    ("README.md", "pip install 'cachegraph[notebook]'"): "sets up what the tests run in",
    ("README.md", "pip install 'cachegraph[server]'"): "the tutorial of ops teams runs the same",
    ("README.md", "# GitHub Actions"): _OTHERS,
    ("README.md", "# GitLab"): _OTHERS,
    ("docs/api.md", "CacheGraphError"): "a tree, as its module draws it",
    ("docs/architecture.md", "cli        commands"): "a table",
    ("docs/ci.md", "- run: |"): _OTHERS,
    ("docs/ci.md", "cache:"): _OTHERS,
    ("docs/lint.md", "$ pip install"): "tests/cli/test_lint.py runs it on repositories of its own",
    ("docs/lint.md", ".github/workflows/images.yml"): "a part of an answer; tests/lint/cases have whole ones",
    ("docs/lint.md", "$ docker buildx bake"): "needs Docker; tests/cli/test_lint.py gives it what Docker prints",
    ("docs/lint.md", "- uses: actions/checkout"): _OTHERS,
    ("docs/lint.md", "repos:"): _OTHERS,
    ("docs/lint.md", "ghcr.io/acme/app:cache is written"): "a sentence; tests/cli/test_alongside.py has it",
    ("docs/ops.md", "15 2 * * *"): "a line for cron; the commands are run one by one",
    ("docs/predict.md", "$ cachegraph predict"): "an image of its own, in short; the how-to page runs a whole one",
    ("docs/serve.md", "$ cachegraph serve"): "goes on until Ctrl-C; tests/explorer runs it",
    ("docs/server.md", "$ pip install"): _SERVER,
    ("docs/server.md", "from cachegraph.server import"): _SERVER,
    ("docs/tutorials/fleet.md", "15 2 * * *"): "a line for cron; the commands are run one by one",
    ("docs/verdict.md", "registry.example.com/app:cache"): "the README begins with a real one",
}
"""Page and how the block begins, and why no test does what it says."""

EVERY = [block for page in PAGES for block in blocks(page) if block.info != "{toctree}"]


def _test_of(block: Block) -> str | None:
    for (page, languages), test in RUN.items():
        if fnmatch(block.page, page) and (languages == "*" or block.language in languages.split()):
            return test
    return None


def _reasons_of(block: Block) -> list[tuple[str, str]]:
    return [key for key in NOT_RUN if key[0] == block.page and block.text.lstrip().startswith(key[1])]


def test_every_block_is_run_or_has_a_reason() -> None:
    found = {str(block): (_test_of(block) is not None) + len(_reasons_of(block)) for block in EVERY}
    assert {where: number for where, number in found.items() if number != 1} == {}


@pytest.mark.parametrize("test", [RUN["docs/explain.md", "console"], RUN["docs/tutorials/*.md", "console"]])
def test_blocks_of_one_command_have_one(test: str) -> None:
    """These tests look for blocks that begin with a call, and take the rest for its output."""
    for block in EVERY:
        if block.language == "console" and _test_of(block) == test:
            assert block.text.startswith("$ cachegraph "), str(block)
            assert len(block.commands) == 1, str(block)


def test_no_reason_and_no_test_is_left_over() -> None:
    assert {key for block in EVERY for key in _reasons_of(block)} == set(NOT_RUN)
    assert {_test_of(block) for block in EVERY} - {None} == set(RUN.values())


@pytest.mark.parametrize("test", sorted(set(RUN.values())))
def test_the_tests_that_are_named_are_there(test: str) -> None:
    path, _, name = test.partition("::")
    assert re.search(rf"^def {name}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("block", [block for block in EVERY if _test_of(block) is None], ids=str)
def test_what_is_not_run_is_at_least_understood(block: Block) -> None:
    for command in block.commands:
        if "cachegraph" in command:
            for arguments in calls(_whole(command)):
                parse(arguments)


def _whole(command: str) -> str:
    """A line of an output may hold a quote that no other closes."""
    try:
        words(command)
    except ValueError:
        return ""
    return command


@pytest.mark.parametrize(
    "block", [block for block in EVERY if block.language == "yaml" and block.page != "docs/rules.md"], ids=str
)
def test_what_a_pipeline_runs_is_understood(block: Block) -> None:
    ran = list(_scripts(yaml.safe_load(block.text)))
    for script in ran:
        for command in script.replace("\\\n", " ").splitlines():
            for arguments in calls(command):
                parse(arguments)
    inputs = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["inputs"]
    for step in _mappings(yaml.safe_load(block.text)):
        if str(step.get("uses", "")).startswith("OWNER/cachegraph"):
            assert set(step["with"]) <= set(inputs)
        if "hooks" in step:
            hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
            assert {hook["id"] for hook in step["hooks"]} <= {hook["id"] for hook in hooks}


def _mappings(document: object) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict):
        yield document
        for value in document.values():
            yield from _mappings(value)
    elif isinstance(document, list):
        for value in document:
            yield from _mappings(value)


def _scripts(document: object) -> Iterator[str]:
    for mapping in _mappings(document):
        for name in ("run", "script"):
            value = mapping.get(name, [])
            yield from [value] if isinstance(value, str) else value


def test_the_cure_of_the_tutorial_is_understood() -> None:
    (block,) = [block for block in blocks("docs/tutorials/cold-build.md") if block.language == "yaml"]
    said = yaml.safe_load(block.text)
    assert said.keys() == {"cache-from", "cache-to"}
    assert parse_spec(said["cache-from"]).attrs == {"ref": "ghcr.io/acme/app:cache"}
    assert said["cache-to"] == said["cache-from"] + ",mode=max"


def test_the_examples_of_every_command_are_understood() -> None:
    found = [line for block in blocks("docs/cli.md") for line in block.text.splitlines()]
    examples = [line for line in found if "[OPTIONS]" not in line]
    assert len(examples) > len(list(commands()))
    for line in examples:
        assert list(calls(line)), line
        for arguments in calls(line):
            parse(arguments)


def test_extras_that_are_named_are_there() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    text = "".join((ROOT / page).read_text("utf-8") for page in PAGES)
    named = set(",".join(re.findall(r"pip install '[^'\[]*\[([\w,]+)\]'", text)).split(","))
    assert {"files", "neo4j", "notebook", "parquet", "s3", "azure", "server"} <= named
    assert named <= set(extras)
