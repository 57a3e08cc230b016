"""What the plugin does for a file, counted in work and not in seconds: a slow rule fails here at once."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flake8_async_tests import Checker
from flake8_async_tests.project.project import Project
from flake8_async_tests.rule import Knows, rule
from flake8_async_tests.rules import all_rules
from flake8_async_tests.source.walk import walk
from tests.linting import configure, lint_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.rule import Finding
    from flake8_async_tests.source.module import Module

SOURCES = sorted(Path(__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_that_the_walk_visits_no_node_twice(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert walk(tree).visited <= sum(1 for _ in ast.walk(tree))


def test_that_the_tree_is_left_as_it_was(tmp_path: Path) -> None:
    text = (
        (Path(__file__).parent / "cases" / "AT101.md")
        .read_text(encoding="utf-8")
        .split("```python\n")[1]
        .split("```")[0]
    )
    tree = ast.parse(text)
    before = ast.dump(tree, include_attributes=True)
    attributes = {id(node): set(vars(node)) for node in ast.walk(tree)}
    configure()
    list(Checker(tree, text.splitlines(keepends=True), str(tmp_path / "test_x.py")).run())
    assert ast.dump(tree, include_attributes=True) == before
    assert {id(node): set(vars(node)) for node in ast.walk(tree)} == attributes


def test_that_each_file_around_is_read_once(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = strict\n")
    (tmp_path / "conftest.py").write_text("from tests.fixtures import *\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "__init__.py").touch()
    (tmp_path / "tests" / "conftest.py").write_text("import pytest\n\n\n@pytest.fixture\ndef order(): ...\n")
    (tmp_path / "tests" / "fixtures.py").write_text("import pytest\n\n\n@pytest.fixture\ndef user(): ...\n")
    text = "from app import shop\nfrom tests.fixtures import user\n\n\nasync def test_total(order, user): ...\n"
    configure()
    found = []
    for number in range(30):
        folder = tmp_path / "tests" / f"part{number % 5}"
        folder.mkdir(exist_ok=True)
        path = folder / f"test_{number}.py"
        path.write_text(text)
        found += lint_text(path, text)
    assert {finding.code for finding in found} == {"AT101"}
    assert len(found) == 30
    reads = Checker.project.files.reads
    assert max(reads.values()) == 1
    assert not any("test_" in Path(path).name for path in reads if path.endswith(".py"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("orders.py", "import asyncio\n\n\nasync def total(): ...\n"),
        ("test_orders.py", "from shop import total\n\n\ndef test_total():\n    assert total() == 0\n"),
    ],
)
def test_that_a_file_which_cannot_matter_is_not_walked(tmp_path: Path, name: str, text: str) -> None:
    configure()
    checker = Checker(ast.parse(text), text.splitlines(keepends=True), str(tmp_path / name))
    assert checker.reports(all_rules()) == []
    module = Checker.project.module_at(str(tmp_path.resolve() / name))
    assert module is not None
    assert "index" not in vars(module)


def test_that_a_sync_test_of_a_coroutine_function_matters(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("async def total(): ...\n")
    text = "from shop import total\n\n\ndef test_total():\n    total()\n"
    configure()
    checker = Checker(ast.parse(text), text.splitlines(keepends=True), str(tmp_path / "test_orders.py"))
    checker.reports(all_rules())
    module = Checker.project.module_at(str(tmp_path.resolve() / "test_orders.py"))
    assert module is not None
    assert "index" in vars(module)


@pytest.mark.parametrize(
    ("text", "is_run"),
    [
        ("asyncio.gather(one, other)", True),
        ("tasks.gather(one, other)", True),
        ("from asyncio import gather as together\ntogether(one)", True),
        ("together = asyncio.gather", True),
        ("loop.wait(1)", True),
        ("from asyncio import gather, wait", False),
        ("asyncio.sleep(0)", False),
    ],
)
def test_that_a_rule_about_calls_is_run_only_where_there_are_some(tmp_path: Path, text: str, is_run: bool) -> None:
    asked: list[str] = []

    @rule("AT599", "about-calls", knows=Knows.FILE, calls=("asyncio.gather", "wait"))
    def about_calls(module: Module) -> Iterator[Finding]:
        asked.append(module.name)
        return iter(())

    configure()
    text = f"import asyncio\n{text}\n"
    Checker(ast.parse(text), text.splitlines(keepends=True), str(tmp_path / "test_orders.py")).reports([about_calls])
    assert bool(asked) is is_run


@pytest.mark.parametrize("is_found", [False, True])
def test_that_not_every_test_of_a_project_is_parsed_for_its_loop_scope(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_found: bool
) -> None:
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = session\n"
    )
    (tmp_path / "conftest.py").touch()
    text = "import pytest\n\n\n@pytest.mark.asyncio(loop_scope='session')\nasync def test_total(): ...\n"
    for number in range(60):
        (tmp_path / f"test_{number:02}.py").write_text(text)
    if is_found:
        # The last of all, but the only one whose text says nothing of scopes.
        (tmp_path / "test_99.py").write_text("async def test_total(): ...\n")
    configure()
    parsed: list[str] = []
    parse = Project.parse

    def noting(project: Project, path: str, text: str) -> Module | None:
        parsed.append(path)
        return parse(project, path, text)

    monkeypatch.setattr(Project, "parse", noting)
    found = lint_text(tmp_path / "conftest.py", "", {"AT807"})
    assert len(found) == is_found
    assert 0 < len(parsed) < 30
