"""The mutators: what each makes of a small file, that the plugin finds it, and that it finds all in our own suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation.cases import Case, described, load_cases, mutants_in
from tests.mutation.draft import program
from tests.mutation.mutators import MUTATORS
from tests.mutation.run import Plugin, found_in, try_suite
from tests.mutation.table import shown

CASES = [
    case for path in sorted((Path(__file__).parent / "mutation" / "cases").glob("*.md")) for case in load_cases(path)
]
EXAMPLE = Path(__file__).parent.parent / "examples" / "shop"


@pytest.mark.parametrize("case", CASES, ids=[case.mutator for case in CASES])
def test_what_a_mutator_makes(case: Case, tmp_path: Path) -> None:
    mutants = mutants_in(case, tmp_path.resolve())
    assert [described(case, mutant) for mutant in mutants] == case.expected
    plugin = Plugin()
    for mutant in mutants:
        tree = program(mutant.text)
        assert tree is not None
        assert mutant.code in found_in(plugin, mutant, tree) or not mutant.is_decidable, mutant.text


def test_that_each_mutator_is_shown_once() -> None:
    assert sorted(case.mutator for case in CASES) == sorted(MUTATORS)


def test_that_every_mutant_of_the_example_is_found() -> None:
    tried = list(try_suite(EXAMPLE, cap=3, seed="1"))
    missed = [each for each in tried if each.mutant.is_decidable and not each.is_caught]
    assert not missed, "\n".join(line for each in missed for line in shown(each))
    assert sum(each.mutant.is_decidable for each in tried) >= 200
