"""Code that looks wrong and is right: the families that read it must be silent."""

from __future__ import annotations

from pathlib import Path

from tests.cases import load_cases
from tests.linting import lint_project

SUITE = Path(__file__).parent / "suites" / "near_misses" / "hardest.md"


def test_that_the_hardest_near_misses_are_let_pass(tmp_path: Path) -> None:
    (case,) = load_cases(SUITE)
    assert case.files["test_hardest.py"].count("async def test_") >= 20
    reported = lint_project(case.files, tmp_path, codes=("AT3", "AT4"))
    assert reported == {name: [] for name in case.files}
