"""Problems of a configuration file are told once, in one place, whatever is checked, how, and in what order."""

from __future__ import annotations

import ast
import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from flake8_async_tests import Checker
from flake8_async_tests.options import Options
from flake8_async_tests.project import places
from flake8_async_tests.project.project import Project
from tests.linting import configure, lint_project, lint_text

if TYPE_CHECKING:
    from pathlib import Path

WRONG = "[pytest]\nasyncio_timeout = 5\n"
LAYOUT = {
    "pytest.ini": WRONG,
    "app.py": "import asyncio\n",
    "tests/test_orders.py": "import pytest\n",
    "tests/one/conftest.py": "",
    "tests/one/test_one.py": "",
    "tests/two/conftest.py": "",
    "tests/two/test_two.py": "async def test_two(): ...\n",
}
PLACE = "tests/one/conftest.py"


def write(folder: Path, *names: str, text: str = "") -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def place_of(folder: Path, name: str = "pytest.ini") -> str | None:
    found = Project(Options()).places.of(str(folder / name))
    return None if found is None else os.path.relpath(found, folder).replace(os.sep, "/")


def told_in(folder: Path, names: list[str]) -> list[str]:
    """The files, checked in this order by one process, in which something about the configuration is told."""
    configure()
    return [
        name
        for name in names
        for finding in lint_text(folder / name, (folder / name).read_text(encoding="utf-8"))
        if finding.code == "AT802"
    ]


def looked_through(folder: Path) -> int:
    """How many folders were asked for the folders in them."""
    reads = Checker.project.files.reads
    return sum(path.startswith(str(folder)) and path.endswith(os.sep) for path in reads)


@pytest.mark.parametrize("seed", range(5))
def test_that_the_order_of_the_files_does_not_matter(tmp_path: Path, seed: int) -> None:
    lint_project(LAYOUT, tmp_path)
    names = [name for name in LAYOUT if name.endswith(".py")]
    random.Random(seed).shuffle(names)
    assert told_in(tmp_path, names) == [PLACE]


def test_that_the_choice_of_files_does_not_matter(tmp_path: Path) -> None:
    lint_project(LAYOUT, tmp_path)
    found = {name: told_in(tmp_path, [name]) for name in LAYOUT if name.endswith(".py")}
    assert [name for name, told in found.items() if told] == [PLACE]


@pytest.mark.parametrize("jobs", ["1", "8"])
def test_that_the_number_of_jobs_does_not_matter(tmp_path: Path, jobs: str) -> None:
    lint_project(LAYOUT, tmp_path)
    arguments = [sys.executable, "-m", "flake8", f"-j{jobs}", "--isolated", "--select=AT8", "."]
    shown = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False).stdout
    assert [line.partition(" ")[0].replace("\\", "/") for line in shown.splitlines()] == [f"./{PLACE}:1:1:"]


def test_that_the_folder_of_invocation_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lint_project(LAYOUT, tmp_path)
    messages = set()
    for folder in (tmp_path, tmp_path / "tests/one", tmp_path.parent):
        monkeypatch.chdir(folder)
        configure()
        path = os.path.relpath(tmp_path / PLACE, folder)
        messages |= {text for *_, text, _ in Checker(ast.parse(""), [], path).run()}
    assert len(messages) == 1
    assert messages.pop().startswith("AT802 pytest.ini:2: asyncio_timeout ")


def test_that_the_text_of_the_file_does_not_matter(tmp_path: Path) -> None:
    lint_project(LAYOUT, tmp_path)
    configure()
    assert [finding.code for finding in lint_text(tmp_path / PLACE, "PRICE = 3\n")] == ["AT802"]


def test_that_a_buffer_without_a_file_is_no_place(tmp_path: Path) -> None:
    lint_project(LAYOUT, tmp_path)
    configure()
    assert lint_text(tmp_path / "conftest.py", "") == []


def test_that_only_a_project_with_a_problem_is_looked_through(tmp_path: Path) -> None:
    lint_project({**LAYOUT, "pytest.ini": "[pytest]\nasyncio_mode = auto\n"}, tmp_path)
    assert looked_through(tmp_path) == 0


def test_that_a_project_is_looked_through_once(tmp_path: Path) -> None:
    lint_project(LAYOUT, tmp_path)
    assert set(Checker.project.files.reads.values()) == {1}
    assert looked_through(tmp_path) == 2


def test_that_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path, "pytest.ini", text=WRONG)
    write(tmp_path, "real/tests/conftest.py")
    (tmp_path / "alias").symlink_to("real/tests")
    (tmp_path / "real/loop").symlink_to("..")
    assert place_of(tmp_path) == "real/tests/conftest.py"


def test_that_a_folder_is_no_file(tmp_path: Path) -> None:
    write(tmp_path, "pytest.ini", text=WRONG)
    (tmp_path / "conftest.py").mkdir()
    (tmp_path / "test_a.py").mkdir()
    write(tmp_path, "test_b.py")
    assert place_of(tmp_path) == "test_b.py"


def test_that_a_folder_that_cannot_be_listed_is_empty(tmp_path: Path) -> None:
    assert place_of(tmp_path / "nowhere") is None


def test_that_folders_are_sorted_by_their_whole_path(tmp_path: Path) -> None:
    write(tmp_path, "pytest.ini", text=WRONG)
    write(tmp_path, "b/a/conftest.py", "a/b/conftest.py", "a/conftest", "c/test_a.py")
    assert place_of(tmp_path) == "a/b/conftest.py"


def test_that_the_number_of_folders_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_MOST_FOLDERS", 3)
    write(tmp_path, "pytest.ini", text=WRONG)
    write(tmp_path, "a/x/conftest.py", "b/test_b.py", "c/test_c.py", "d/conftest.py")
    assert place_of(tmp_path) == "b/test_b.py"


def test_that_the_number_of_files_that_are_read_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_MOST_FILES_READ", 1)
    write(tmp_path, "pytest.ini", text=WRONG)
    write(tmp_path, "a.py", "b.py", text="import pytest\n")
    write(tmp_path, "test_c.py")
    project = Project(Options())
    assert [os.path.basename(path) for path in project.places.test_files(str(tmp_path))] == ["a.py", "test_c.py"]


def test_that_without_a_repository_the_search_for_ignored_sections_goes_all_the_way_up(tmp_path: Path) -> None:
    write(tmp_path, "tox.ini", text="[tool:pytest]\nasyncio_mode = auto\n")
    write(tmp_path, "shop/tests/test_orders.py")
    configure()
    (finding,) = lint_text(tmp_path / "shop/tests/test_orders.py", "")
    assert finding.code == "AT801"
    assert finding.message.endswith(
        "tox.ini:1: [tool:pytest] is ignored by pytest, and with it asyncio_mode (name it [pytest])"
    )


def test_that_a_repository_within_another_is_on_its_own(tmp_path: Path) -> None:
    (tmp_path / "shop/.git").mkdir(parents=True)
    found = lint_project(
        {"tox.ini": "[tool:pytest]\n", "shop/conftest.py": "", "shop/test_a.py": "", "web/test_b.py": ""}, tmp_path
    )
    assert {name: [finding.code for finding in findings] for name, findings in found.items() if findings} == {
        "web/test_b.py": ["AT801"]
    }
