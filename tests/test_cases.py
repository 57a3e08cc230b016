"""Every case of every rule: all the findings that it names, where it names them, and no others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cases import Case, load_cases
from tests.linting import lint_project

if TYPE_CHECKING:
    from tests.linting import Reported

CASES = [case for path in sorted((Path(__file__).parent / "cases").glob("AT*.md")) for case in load_cases(path)]


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_case(case: Case, tmp_path: Path) -> None:
    options = list(case.options)
    if case.code.startswith("AT9"):
        options.append(f"--extend-select={case.code}")
    reported = lint_project(case.files, tmp_path, options, case.codes)
    found = [
        (name, finding) for name, findings in reported.items() for finding in findings if finding.code in case.codes
    ]
    assert sorted(_shown(name, finding) for name, finding in found) == sorted(
        f"{expected.path}:{expected.line}:{expected.column} {expected.code}" for expected in case.expected
    )
    for expected in case.expected:
        messages = [
            finding.message
            for name, finding in found
            if (name, finding.line, finding.code) == (expected.path, expected.line, expected.code)
        ]
        assert any(expected.words in message for message in messages), (expected, messages)


def _shown(name: str, finding: Reported) -> str:
    return f"{name}:{finding.line}:{finding.column} {finding.code}"
