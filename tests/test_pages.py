"""A rule's page and the rule agree: its title is the rule's, and its examples lint as it claims.

That pytest agrees as well is the business of ``test_proofs``; that there is a page, of ``test_whole_set``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flake8_async_tests.rules import all_rules
from tests.linting import lint_project
from tests.pages import PAGES, load_page

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from flake8_async_tests.rule import Rule

RULES = [pytest.param(rule, id=rule.code) for rule in all_rules()]
each_rule = pytest.mark.parametrize("rule", RULES)


def codes_in(files: Mapping[str, str], directory: Path, rule: Rule) -> set[str]:
    """The codes of everything found in a project; opt-in rules other than the page's own stay off."""
    options = [f"--extend-select={rule.code}"] if rule.opt_in else []
    found = lint_project(dict(files), directory, options)
    return {finding.code for findings in found.values() for finding in findings}


@each_rule
def test_the_title_is_the_rules_code_and_name(rule: Rule) -> None:
    page = load_page(PAGES / f"{rule.code}.md")
    assert (page.code, page.name) == (rule.code, rule.name)


@each_rule
def test_the_example_shows_this_rule_and_only_what_the_page_admits(rule: Rule, tmp_path: Path) -> None:
    page = load_page(PAGES / f"{rule.code}.md")
    assert codes_in(page.example, tmp_path, rule) == {rule.code} | page.also_shown


@each_rule
def test_nothing_is_found_in_what_to_use_instead(rule: Rule, tmp_path: Path) -> None:
    page = load_page(PAGES / f"{rule.code}.md")
    assert codes_in(page.fixed, tmp_path, rule) == set()
