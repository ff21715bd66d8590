"""Each rule: its examples, its words, its code."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from cachegraph.lint.rules.base import LintRule
from cachegraph.lint.rules.catalogue import LINT_RULES
from cachegraph.text.rules import CODES, SEVERITIES
from tests.lint.rules import linted


@pytest.mark.parametrize("rule", LINT_RULES, ids=lambda rule: rule.name)
def test_the_bad_example_has_this_finding_and_no_other(tmp_path: Path, rule: LintRule) -> None:
    found = linted(tmp_path, rule.bad)
    assert [finding.rule for finding in found] == [rule.name]
    assert found[0].severity in rule.severity
    assert found[0].place.file in rule.bad
    line = rule.bad[found[0].place.file].splitlines()[found[0].place.line - 1]
    assert line.strip()


@pytest.mark.parametrize("rule", LINT_RULES, ids=lambda rule: rule.name)
def test_the_good_example_has_no_finding(tmp_path: Path, rule: LintRule) -> None:
    assert linted(tmp_path, rule.good) == []


def test_rules_are_in_the_order_of_their_codes_without_gaps() -> None:
    codes = [rule.code for rule in LINT_RULES]
    assert codes == [f"CG{301 + number}" for number in range(len(LINT_RULES))]
    assert codes == sorted(code for code in CODES.values() if code.startswith("CG3"))


@pytest.mark.parametrize("rule", LINT_RULES, ids=lambda rule: rule.name)
def test_each_rule_says_what_is_wrong_and_what_to_do(rule: LintRule) -> None:
    assert re.fullmatch(r"https://docs\.docker\.com/[a-z0-9/-]+/(#[a-z0-9-]+)?", rule.link)
    assert not rule.title.endswith(".")
    assert rule.meaning.endswith(".")
    assert rule.cure.endswith(".")
    assert any(severity in rule.severity for severity in SEVERITIES)
    assert rule.bad != rule.good


@pytest.mark.parametrize("rule", LINT_RULES, ids=lambda rule: rule.name)
def test_messages_are_sentences_of_one_line(tmp_path: Path, rule: LintRule) -> None:
    for finding in linted(tmp_path, rule.bad):
        assert "\n" not in finding.message
        assert finding.message[0].isupper() or not finding.message[0].isalpha() or finding.message[0].islower()
        assert finding.message.endswith((".", "?"))
        assert len(finding.message) < 500


def test_a_key_given_twice_is_as_severe_as_what_is_lost(tmp_path: Path) -> None:
    entries = ["type=gha,mode=max,mode=max", "type=gha,mode=min,mode=max", "type=gha,type=registry,ref=acme/a:1"]
    text = "".join(f'target "t{n}" {{\n  cache-from = ["{one}"]\n}}\n' for n, one in enumerate(entries))
    found = [finding for finding in linted(tmp_path, {"docker-bake.hcl": text}) if finding.rule == "repeated-key"]
    assert [finding.severity for finding in found] == ["note", "warning", "error"]
    assert "type=registry" in found[2].message


def test_a_cache_mount_and_a_tool_that_may_ask_git_make_notes(tmp_path: Path) -> None:
    files = {
        "Dockerfile": "FROM golang:1.25\nCOPY . .\nRUN --mount=type=cache,target=/go/pkg/mod go mod download\n"
        "RUN go build ./...\n"
    }
    assert [(finding.rule, finding.severity) for finding in linted(tmp_path, files)] == [
        ("copy-before-install", "note"),
        ("git-in-context", "note"),
    ]


def test_a_matrix_is_told_once_and_counts_its_builds(tmp_path: Path) -> None:
    (finding,) = linted(
        tmp_path,
        {
            ".github/workflows/a.yml": "on: push\njobs:\n  a:\n    strategy: {matrix: {image: [x, y, z]}}\n"
            "    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/setup-buildx-action@v3\n"
            "      - uses: docker/build-push-action@v6\n        with:\n          context: ${{ matrix.image }}\n"
            "          cache-from: type=gha\n          cache-to: type=gha,mode=max\n"
        },
    )
    assert finding.message.startswith("3 builds of one matrix write GitHub cache scope buildkit (the default), ")
    assert finding.place.line == 12


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"FROM {'alpine' if not n else f's{n - 1}'} AS s{n}\nCOPY . .\nRUN npm ci\n" for n in range(1500)),
        "FROM alpine\n" + "COPY . .\nRUN apt-get update\n" * 3000,
        "FROM alpine\nRUN " + "apt-get -y " * 5000 + "\n",
        "FROM alpine\nCOPY . .\nRUN pip install " + "-r " * 5000 + "\n",
        "FROM alpine\nRUN " + "; " * 20000 + "\n",
        "FROM a AS a\nFROM a AS a\nCOPY --from=a . .\n",
        "FROM \x00\nCOPY \xff .\n",
        "",
    ],
    ids=["stages", "copies", "words", "options", "separators", "itself", "bytes", "empty"],
)
def test_a_hostile_dockerfile_takes_no_time(tmp_path: Path, text: str) -> None:
    begin = time.process_time()
    linted(tmp_path, {"Dockerfile": text, ".dockerignore": "!.git\n" * 2000})
    assert time.process_time() - begin < 5
