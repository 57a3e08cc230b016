"""The benchmark: that it measures what it says, and that the docs show what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flake8_async_tests import Checker
from tests.bench import whole
from tests.bench.costs import OURS, Plugins, is_test_file, measure, one_pass, python_files, text_of
from tests.bench.growth import FILES_IN_A_FOLDER, Step, in_a_process_of_its_own, over_many_files
from tests.bench.record import Measured, Record, read_record, table_of_growth, table_of_peers, tables
from tests.linting import configure, lint_text

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parent.parent / "docs"


def test_the_docs_show_what_was_measured() -> None:
    page = (DOCS / "cost.md").read_text(encoding="utf-8")
    shown = [page.find(f"\n\n{table}\n") for table in tables(read_record())]
    assert -1 not in shown
    assert shown == sorted(shown)


def test_that_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = Record(
        python="3.13.0",
        versions={OURS: "1.0"},
        measured=[Measured("tests", 2, 0.5, {OURS: 1.25})],
        import_of_flake8=70.0,
        import_of_plugin=50.0,
        share_of_run=0.1,
        many_files=[Step(10, 1.5, 80.0)],
        long_file=[Step(100, 1.0)],
    )
    record.write(tmp_path / "record.json")
    assert read_record(tmp_path / "record.json") == record


def test_the_table_of_peers() -> None:
    measured = [Measured("tests", 20, 1.0, {OURS: 1.25, "flake8-async": 203.4}), Measured("others", 3, 1.0, {OURS: 0})]
    table = table_of_peers(measured, {OURS: "1.0", "flake8-async": "26.1"})
    assert table.splitlines() == [
        "| plugin | tests (20 files) | others (3 files) |",
        "| --- | ---: | ---: |",
        f"| **{OURS}** | 1.25 | 0.00 |",
        "| flake8-async 26.1 | 203 | - |",
    ]


def test_the_table_of_growth() -> None:
    assert table_of_growth([Step(20_000, 1.2, 101.6)]).splitlines()[2:] == ["| 20,000 | 1.20 | 102 MB |"]


@pytest.mark.parametrize(
    ("name", "text", "is_one"),
    [
        ("test_it.py", "", True),
        ("it_test.py", "", True),
        ("conftest.py", "", True),
        ("it.py", "def f():\n    from unittest import mock\n", True),
        ("it.py", "import pytester\n", False),
        ("it.py", "import os\n", False),
    ],
)
def test_which_files_are_of_tests(name: str, text: str, is_one: bool) -> None:
    assert is_test_file(Path(name), text) is is_one


def test_that_each_file_is_parsed_and_checked(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name, content in (("test_b.py", "x = 1\n" * 200), ("sub/test_a.py", "y = 1\n"), ("broken.py", "(")):
        (tmp_path / name).write_text(content)
    files = [path for path in python_files(tmp_path) if text_of(path) is not None]
    assert [path.name for path in files] == ["test_b.py", "test_a.py"]
    costs = measure(files, Plugins({OURS}), passes=2)
    assert costs.files == 2
    assert costs.parsing > 0
    assert costs.ratios.keys() == {OURS}
    assert costs.ratios[OURS] > 0


def test_that_one_pass_checks_what_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "test_it.py"
    path.write_text("x = 1\n" * 200)
    checked: list[Checker] = []

    def run(checker: Checker) -> Iterator[None]:
        checked.append(checker)
        yield

    monkeypatch.setattr(Checker, "run", run)
    parsing, checking = one_pass(OURS, [str(path)])
    assert parsing > 0
    assert checking > 0
    assert len(checked) == 2


def test_that_what_grows_has_nothing_to_find(tmp_path: Path) -> None:
    steps = list(over_many_files(tmp_path, [2, FILES_IN_A_FOLDER + 1]))
    assert [step.size for step in steps] == [2, FILES_IN_A_FOLDER + 1]
    assert all(step.ratio > 0 for step in steps)
    configure()
    made = sorted(tmp_path.rglob("*.py"))
    assert len(made) == 1 + 1 + 2 * FILES_IN_A_FOLDER + 2 * 2
    assert [found for path in made for found in lint_text(path, path.read_text())] == []


def test_that_growth_is_seen_by_another_process() -> None:
    steps = in_a_process_of_its_own("lines", [40, 80])
    assert [step.size for step in steps] == [40, 80]
    assert all(step.ratio > 0 for step in steps)


def test_the_start_and_the_share(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(whole, "_TIMES", 3)
    alone, ours = whole.import_milliseconds()
    assert alone > 0
    assert ours > 0
    (tmp_path / "test_it.py").write_text("async def test_it():\n    pass\n" * 50)
    assert whole.share_of_a_run([tmp_path / "test_it.py"]) < 1
