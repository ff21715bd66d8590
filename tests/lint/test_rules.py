"""Each rule: its examples, its words, its code."""

from __future__ import annotations

import re
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
