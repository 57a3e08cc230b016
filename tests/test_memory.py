"""What is held in memory does not grow with the number of files that were checked."""

from __future__ import annotations

import ast
import gc
from typing import TYPE_CHECKING

import pytest

from flake8_async_tests import Checker
from flake8_async_tests.fixing.changed import ChangedFiles
from flake8_async_tests.project import project as project_module
from flake8_async_tests.project.project import Project
from flake8_async_tests.source.module import Module
from tests.linting import configure, lint_text

if TYPE_CHECKING:
    from pathlib import Path

FIXTURES = "import pytest\n\n\n@pytest.fixture\nasync def client():\n    yield\n"
TEST = """\
from unittest.mock import AsyncMock

from shop.part{number} import fetch
from .helpers import make


async def test_total(client, order):
    fetch = AsyncMock()
    assert fetch(client)
    make()
"""


def build(root: Path, *, folders: int) -> list[Path]:
    """A project in which each folder has a conftest, helpers and two test files of its own."""
    (root / ".git").mkdir()
    (root / "conftest.py").write_text(FIXTURES)
    (root / "shop").mkdir()
    (root / "shop" / "__init__.py").touch()
    for number in range(folders):
        (root / "shop" / f"part{number}.py").write_text("async def fetch(): ...\n")
        folder = root / "tests" / f"part{number}"
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder / "conftest.py").write_text(f"from .helpers import *\n{FIXTURES}")
        (folder / "helpers.py").write_text(FIXTURES.replace("client", "order") + "\n\nasync def make(): ...\n")
        for name in ("test_one.py", "test_two.py"):
            (folder / name).write_text(TEST.replace("{number}", str(number)))
    return sorted((root / "tests").rglob("*.py"))


def live(kind: type[object]) -> int:
    gc.collect()
    return sum(isinstance(each, kind) for each in gc.get_objects())


def lint(paths: list[Path]) -> set[str]:
    return {finding.code for path in paths for finding in lint_text(path, path.read_text())}


@pytest.mark.parametrize(
    ("bound", "value"),
    [("_MOST_FILES_CHECKED", 20), ("_MOST_BYTES_HELD", 4000), ("_MOST_CHARACTERS_PARSED", 1500)],
)
def test_that_what_is_remembered_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, value: int
) -> None:
    paths = [path for path in build(tmp_path, folders=30) if path.name.startswith("test_")]
    configure()
    modules, trees = live(Module), live(ast.Module)
    assert lint(paths) == {"AT101", "AT301", "AT302"}
    assert live(Module) - modules > 60
    monkeypatch.setattr(project_module, bound, value)
    assert lint(paths) == {"AT101", "AT301", "AT302"}
    assert live(Module) - modules < 30
    assert live(ast.Module) - trees < 30
    assert live(Project) <= 2


def test_that_nothing_is_left_of_a_run(tmp_path: Path) -> None:
    configure()
    modules, trees = live(Module), live(ast.Module)
    lint(build(tmp_path, folders=10))
    assert live(Module) > modules
    configure()
    assert (live(Module), live(ast.Module)) == (modules, trees)


def test_that_findings_are_the_same_when_all_is_let_go_in_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = build(tmp_path, folders=5)
    configure()
    remembered = [lint_text(path, path.read_text()) for path in paths]
    monkeypatch.setattr(project_module, "_MOST_FILES_CHECKED", 1)
    configure()
    assert [lint_text(path, path.read_text()) for path in paths] == remembered
    assert Checker.project.files.reads.total() < 50


def run(path: Path, text: str) -> list[str]:
    """The codes that a file gets from the checker as flake8 makes it."""
    checker = Checker(ast.parse(text), text.splitlines(keepends=True), str(path))
    return [message[:5] for _, _, message, _ in checker.run()]


def test_that_a_file_which_comes_again_is_another_run(tmp_path: Path) -> None:
    text = "async def test_total(): ...\n"
    configure()
    assert run(tmp_path / "test_one.py", text) == ["AT101"]
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    assert run(tmp_path / "test_two.py", text) == ["AT101"]
    assert run(tmp_path / "test_one.py", text) == []
    assert run(tmp_path / "test_two.py", text) == []


def test_that_a_pause_ends_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "async def test_total(): ...\n"
    configure()
    assert run(tmp_path / "test_one.py", text) == ["AT101"]
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    monkeypatch.setattr(project_module, "_LONGEST_PAUSE", -1.0)
    assert run(tmp_path / "test_two.py", text) == []


def test_that_changes_which_are_not_written_yet_outlast_a_run(tmp_path: Path) -> None:
    text = "async def test_total(): ...\n"
    (tmp_path / "conftest.py").write_text("def pytest_pyfunc_call(pyfuncitem): ...\n")
    configure()
    Checker.project = Project(Checker.project.options, ChangedFiles({str(tmp_path / "conftest.py"): b""}))
    for _ in range(2):
        assert run(tmp_path / "test_one.py", text) == ["AT101"]


def test_that_a_file_that_others_have_read_is_there_once(tmp_path: Path) -> None:
    conftest = "from fixtures import *\n"
    fixtures = "import pytest\n\n\n@pytest.fixture\nasync def client(client): ...\n"
    test = "async def test_total(client): ...\n"
    for name, text in {"conftest.py": conftest, "fixtures.py": fixtures, "test_it.py": test}.items():
        (tmp_path / name).write_text(text)
    configure()
    paths = [tmp_path / name for name in ("test_it.py", "fixtures.py", "conftest.py", "test_it.py")]
    for path in paths:
        lint_text(path, path.read_text())
        assert live_paths(tmp_path) == sorted(set(live_paths(tmp_path)))


def live_paths(folder: Path) -> list[str]:
    gc.collect()
    paths = (each.path for each in gc.get_objects() if isinstance(each, Module))
    return sorted(path for path in paths if path.startswith(str(folder)))
