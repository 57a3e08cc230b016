"""The mutators: what each makes of a small file, that the plugin finds it, and that it finds all in our own suite.

And what is written down of a run over published packages.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from tests.ecosystem.pins import Pin, pinned
from tests.mutation import __main__ as command
from tests.mutation import record
from tests.mutation.cases import Case, described, load_cases, mutants_in
from tests.mutation.draft import Mutant, program
from tests.mutation.mutators import MUTATORS
from tests.mutation.record import Doubt, Figures, Record, by_rule, count, difference, together
from tests.mutation.run import Plugin, Tried, found_in, try_suite
from tests.mutation.table import shown, table, table_of_doubts, tables

CASES = [
    case for path in sorted((Path(__file__).parent / "mutation" / "cases").glob("*.md")) for case in load_cases(path)
]
EXAMPLE = Path(__file__).parent.parent / "examples" / "shop"
DOCS = Path(__file__).parent.parent / "docs"


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


# What is committed.


def test_the_record_is_of_pinned_packages_and_of_every_rule() -> None:
    figures = record.read().figures
    assert {each.package for each in figures} <= {pin.name for pin in pinned()}
    assert len({each.package for each in figures}) >= 25
    assert {each.code for each in figures} == {each.code for each in MUTATORS.values()}


def test_nine_in_ten_are_found_of_each_rule() -> None:
    assert [str(each) for each in by_rule(record.read().figures) if each.caught < 0.9 * each.decidable] == []


def test_what_is_undecidable_adds_up() -> None:
    recorded = record.read()
    assert sum(each.undecidable for each in recorded.figures) == sum(each.mutants for each in recorded.doubts)


def test_the_docs_show_what_is_written_down() -> None:
    page = (DOCS / "mutation.md").read_text(encoding="utf-8")
    for each in tables(record.read()):
        assert f"\n\n{each}\n\n" in page
    assert f"There are {len(MUTATORS)} kinds of changes" in page


# The record.


def tried(code: str, doubt: str = "", *found: str) -> Tried:
    return Tried(Mutant(code, Path("test_a.py"), "", 1, 1, doubt), "a-1", "", found)


A_RECORD = Record(
    (Figures("a", "AT101", 2, 1, 1), Figures("a", "AT301", 0, 0, 1)),
    (Doubt("AT101", "a hook may do it", 1, 0), Doubt("AT301", "who knows", 1, 1)),
)


def test_mutants_are_counted_by_rule() -> None:
    mutants = [
        tried("AT101", "", "AT101"),
        tried("AT101"),
        tried("AT101", "a hook may do it"),
        tried("AT301", "who knows", "AT301"),
    ]
    assert count("a", mutants) == A_RECORD


def test_a_record_is_read_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "FOLDER", tmp_path)
    assert record.read() == Record((), ())
    record.write(A_RECORD)
    assert (tmp_path / "figures.txt").read_text() == "a AT101 2 1 1\na AT301 0 0 1\n"
    assert (tmp_path / "doubts.txt").read_text() == "AT101 1 0 a hook may do it\nAT301 1 1 who knows\n"
    assert record.read() == A_RECORD
    (tmp_path / "doubts.txt").write_text("AT101 1 0 a hook may do it\nAT301 who knows\n")
    with pytest.raises(ValueError, match=r"doubts.txt, line 2: "):
        record.read()


def test_what_packages_came_to_is_put_together() -> None:
    other = Record((Figures("b", "AT101", 1, 1, 2),), (Doubt("AT101", "a hook may do it", 2, 1),))
    both = together([other, A_RECORD])
    assert both.figures == (*A_RECORD.figures, *other.figures)
    assert both.doubts == (Doubt("AT101", "a hook may do it", 3, 1), A_RECORD.doubts[1])
    assert by_rule(both.figures) == [Figures("all", "AT101", 3, 2, 3), Figures("all", "AT301", 0, 0, 1)]


def test_the_difference_shows_figures_that_are_others_now() -> None:
    now = [Figures("a", "AT101", 2, 2, 1), Figures("a", "AT302", 1, 1, 0)]
    assert difference(A_RECORD.figures, now) == [
        "- a AT101 2 1 1",
        "+ a AT101 2 2 1",
        "- a AT301 0 0 1",
        "+ a AT302 1 1 0",
    ]
    assert difference(now, now) == []


def test_the_tables_add_up() -> None:
    assert table(A_RECORD.figures).splitlines()[2:] == [
        "| AT101 | 2 | 1 | 50.0 % | 1 |",
        "| AT301 | 0 | 0 | - | 1 |",
        "| all | 2 | 1 | 50.0 % | 2 |",
    ]
    doubts = (Doubt("AT302", "who knows", 1, 1), *A_RECORD.doubts)
    assert table_of_doubts(doubts).splitlines()[2:] == [
        "| who knows | AT301, AT302 | 2 | 2 |",
        "| a hook may do it | AT101 | 1 | 0 |",
    ]


# The command.

TESTS = """\
import asyncio

import pytest


@pytest.mark.asyncio
async def test_one():
    await asyncio.sleep(0)


@pytest.mark.asyncio
async def test_two():
    assert await asyncio.sleep(0) is None
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A package with two tests."""
    folder = tmp_path / "shop-1"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_shop.py").write_text(TESTS)
    return folder


def test_the_command_takes_any_folder(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--suite", str(suite), "--select", "AT301,AT302", "--jobs", "1", "--missed", "--open"]) == 0
    printed = capsys.readouterr().out
    assert f"{suite}: 2 of 2 are found\n" in printed
    assert "| all | 2 | 2 | 100.0 % | 0 |" in printed


def test_the_command_compares_packages_with_the_record(
    suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "shop-1.tar.gz"
    with tarfile.open(archive, "w:gz") as opened:
        opened.add(suite, suite.name)
    monkeypatch.setattr(record, "FOLDER", tmp_path)
    monkeypatch.setattr(command, "pinned", lambda: [Pin("shop", "1", "00")])
    monkeypatch.setattr(command, "pips_index", lambda: None)
    monkeypatch.setattr(command, "archive_of", lambda *_: archive)
    assert command.main(["--jobs", "1"]) == 1
    assert "\n+ shop AT301 1 1 0\n" in capsys.readouterr().out
    page = tmp_path / "mutation.md"
    page.write_text("# Missed\n\n| rule | decidable\n\n| why it | is open\n\nThe end.\n", encoding="utf-8")
    monkeypatch.setattr(command, "PAGE", page)
    assert command.main(["--jobs", "1", "--record"]) == 0
    assert page.read_text(encoding="utf-8") == "\n\n".join(["# Missed", *tables(record.read()), "The end.\n"])
    assert command.main(["--jobs", "1", "shop"]) == 0
    assert "differ" not in capsys.readouterr().out
    assert command.main(["--table"]) == 0
    assert "| AT301 | 1 | 1 | 100.0 % | 0 |" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        command.main(["shop", "--record"])
    with pytest.raises(SystemExit):
        command.main(["other"])


def test_the_command_fails_where_too_few_are_found(
    suite: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "LEAST_SHARE", 1.1)
    assert command.main(["--suite", str(suite), "--select", "AT301", "--jobs", "1"]) == 1
    assert "Of AT301 no more than 1 of 1 are found: see --missed" in capsys.readouterr().out
