"""The rules as a whole: each has all that a rule needs, and nothing is left of a rule that is gone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flake8_async_tests.rules import all_rules
from tests.cases import load_cases
from tests.pages import page_paths

if TYPE_CHECKING:
    from flake8_async_tests.rule import Rule

ROOT = Path(__file__).parent.parent
CASES = ROOT / "tests" / "cases"
MODULES = ROOT / "flake8_async_tests" / "rules"

ROW = re.compile(
    r"^\| \[(?P<code>AT\d{3})\]\(docs/rules/(?P<page>AT\d{3})\.md\) \| (?P<name>[a-z0-9-]+) \| (?P<says>[^|]+) \|"
    r" (?P<knows>[^|]+) \| (?:on|opt-in) \| (?:safe|unsafe|-) \|$",
    re.MULTILINE,
)

RULES = [pytest.param(rule, id=rule.code) for rule in all_rules()]
each_rule = pytest.mark.parametrize("rule", RULES)


def codes() -> list[str]:
    return [rule.code for rule in all_rules()]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_there_are_rules() -> None:
    assert codes()


def test_codes_are_unique_and_in_order() -> None:
    assert codes() == sorted(set(codes()))


def test_names_are_unique() -> None:
    names = [rule.name for rule in all_rules()]
    assert sorted(names) == sorted(set(names))


def test_every_rule_is_in_the_module_of_its_name() -> None:
    modules = {path.stem for path in MODULES.glob("at*.py")}
    assert modules == {f"{rule.code.lower()}_{rule.name.replace('-', '_')}" for rule in all_rules()}


def test_every_rule_has_a_page_and_every_page_a_rule() -> None:
    assert [path.stem for path in page_paths()] == codes()


def test_every_rule_has_cases_and_every_case_file_a_rule() -> None:
    assert sorted(path.stem for path in CASES.glob("AT*.md")) == codes()


@each_rule
def test_the_cases_hold_a_hit_and_a_near_miss(rule: Rule) -> None:
    cases = load_cases(CASES / f"{rule.code}.md")
    assert any(case.expected for case in cases), "no hit"
    assert any(not case.expected for case in cases), "no near miss"


@each_rule
def test_the_changelog_names_the_rule_under_its_version(rule: Rule) -> None:
    _, heading, after = text_of("CHANGELOG.md").partition(f"\n## [{rule.since}]")
    assert heading, f"the changelog has no {rule.since}"
    assert re.search(rf"\b{rule.code}\b", after.partition("\n## [")[0])


def test_the_readme_lists_every_rule_under_its_name() -> None:
    rows = [(row["code"], row["page"], row["name"]) for row in ROW.finditer(text_of("README.md"))]
    assert rows == [(rule.code, rule.code, rule.name) for rule in all_rules()]


def test_the_readme_has_no_row_of_another_form() -> None:
    """A row that the pattern does not match would otherwise be missed in silence."""
    readme = text_of("README.md")
    assert len(re.findall(r"^\| *\[AT", readme, re.MULTILINE)) == len(ROW.findall(readme))


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in page_paths()])
def test_no_page_is_unfinished(path: Path) -> None:
    assert "TODO" not in path.read_text(encoding="utf-8")
