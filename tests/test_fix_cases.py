"""The fixes of every case of every rule with fixes: they mend what they are for, and come out as the case says.

Beside the rules' own cases there are some in `tests/fixes` that are about nothing but the fixes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from flake8_async_tests.rules import all_rules
from tests.cases import Case, load_cases
from tests.fixing import fix_project
from tests.pages import PAGES, load_page

SAYS_SO = '"Use instead" is what the fix makes of the example.'
# What the examples of these pages show besides wants a decision: the fix is a part of the remedy.
PARTLY_BY_HAND = {
    "AT104": "a hook of pytest's becomes an autouse fixture",
    "AT105": "a hook of a plain TestCase wants another base",
    "AT110": "a fixture that is requested wants to be put into an attribute",
    "AT503": "a sync test wants to be written anew",
    "AT804": "the mode has to be set in pytest's configuration",
}
RULES = {rule.code: rule for rule in all_rules()}
CASES = [
    case
    for folder in ("cases", "fixes")
    for path in sorted((Path(__file__).parent / folder).glob("AT*.md"))
    if path.stem in RULES and RULES[path.stem].fix
    for case in load_cases(path)
]


def options_of(case: Case) -> list[str]:
    return [*case.options, *([f"--extend-select={case.code}"] if case.code.startswith("AT9") else [])]


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_fixes_of_case(case: Case, tmp_path: Path) -> None:
    results = fix_project(case.files, tmp_path, options_of(case), {case.code})
    assert {name: result.trouble for name, result in results.items() if result.trouble} == {}
    assert {name: results[name].text for name in case.fixed} == case.fixed
    for result in results.values():
        assert not any(reported.finding.fix for reported in result.left)


@pytest.mark.parametrize("code", [code for code, rule in RULES.items() if rule.fix])
def test_that_a_case_shows_what_the_fix_does(code: str) -> None:
    assert any(case.fixed for case in CASES if case.code == code)
    assert "Fix" in load_page(PAGES / f"{code}.md").sections


@pytest.mark.parametrize("code", [code for code, rule in RULES.items() if rule.fix])
def test_that_a_page_says_so_where_the_fix_makes_the_remedy_of_the_example(code: str, tmp_path: Path) -> None:
    page = load_page(PAGES / f"{code}.md")
    options = [f"--extend-select={code}"] if RULES[code].opt_in else []
    results = fix_project(page.example, tmp_path, options, {code})
    made = {name: results[name].text if name in results else text for name, text in page.example.items()}
    assert (made == dict(page.fixed)) is (SAYS_SO in page.sections["Fix"].text)
    assert (made == dict(page.fixed)) is (code not in PARTLY_BY_HAND)


@pytest.mark.parametrize("code", [code for code, rule in RULES.items() if not rule.fix])
def test_that_a_rule_without_fixes_offers_none(code: str) -> None:
    assert "Fix" not in load_page(PAGES / f"{code}.md").sections
