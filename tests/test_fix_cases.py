"""The fixes of every case of every rule with fixes: they mend what they are for, and come out as the case says.

Beside the rules' own cases there are some in `tests/fixes` that are about nothing but the fixes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from flake8_async_tests.rules import all_rules
from tests.cases import Case, load_cases
from tests.fixing import fix_project

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
    page = (Path(__file__).parent.parent / "docs" / "rules" / f"{code}.md").read_text(encoding="utf-8")
    assert "\n## Fix\n" in page


@pytest.mark.parametrize("code", [code for code, rule in RULES.items() if not rule.fix])
def test_that_a_rule_without_fixes_offers_none(code: str) -> None:
    page = Path(__file__).parent.parent / "docs" / "rules" / f"{code}.md"
    assert not page.is_file() or "\n## Fix\n" not in page.read_text(encoding="utf-8")
