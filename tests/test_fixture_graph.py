"""Which fixture a name means, and which a test sets up: the graph agrees with real pytest on project after project."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flake8_async_tests.options import Options
from flake8_async_tests.project.project import Project
from tests import fixture_recorder
from tests.fixture_layouts import INI, WRITTEN, generated
from tests.proofs import write_project

if TYPE_CHECKING:
    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.functions import Class
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test

LAYOUTS = {**WRITTEN, **{f"generated_{seed}": generated(random.Random(seed)) for seed in range(40)}}

Answers = dict[str, dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("projects")
    for name, files in LAYOUTS.items():
        write_project({**INI, **files}, folder / name)
    return folder


@pytest.fixture(scope="module")
def answers(projects: Path, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What real pytest says about each test of each project."""
    path = tmp_path_factory.mktemp("answers") / "answers.json"
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    for variable in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "COVERAGE_PROCESS_START"):
        environment.pop(variable, None)
    subprocess.run(
        [sys.executable, fixture_recorder.__file__, str(projects), str(path)],
        check=True,
        env=environment,
        cwd=projects,
        capture_output=True,
        timeout=120,
    )
    found: Answers = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_graph_agrees_with_pytest(layout: str, projects: Path, answers: Answers) -> None:
    folder = Path(os.path.realpath(projects / layout))
    said = answers[layout]
    assert said
    seen = {}
    project = Project(Options())
    for path in sorted(folder.rglob("test_*.py")):
        module = project.module_at(str(path))
        assert module is not None
        for test in module.tests:
            seen[_key(test, folder)] = _seen(module, test, folder, said[_key(test, folder)])
    expected = {
        key: {
            "names": set(test["names"]) - {"request"},
            "meanings": {name: [tuple(place) for place in places] for name, places in test["meanings"].items()},
            "set_up": None if test["failed"] else {tuple(place) for place in test["set_up"]},
        }
        for key, test in said.items()
    }
    assert seen == expected


def _key(test: Test, folder: Path) -> str:
    names = [test.function.name]
    klass: Class | None = test.klass
    while klass is not None:
        names.append(klass.name)
        klass = test.module.class_at(klass.outer)
    return "::".join([Path(test.module.path).relative_to(folder).as_posix(), *reversed(names)])


def _seen(module: Module, test: Test, folder: Path, said: dict[str, Any]) -> dict[str, object]:
    graph = module.fixture_graph
    closure = graph.closure_of(test)
    assert closure.complete
    hidden = set(test.parametrized)
    meanings = {
        name: [_place(entry.fixture, folder) for entry in graph.entries_of(name, test.klass)]
        for name in closure.names - hidden
    }
    return {
        "names": closure.names - hidden - {"request"},
        "meanings": {name: places for name, places in meanings.items() if places},
        "set_up": None if said["failed"] else {_place(fixture, folder) for fixture in closure.fixtures},
    }


def _place(fixture: Fixture | None, folder: Path) -> tuple[str, int]:
    assert fixture is not None
    first = min((node.lineno for node in fixture.function.node.decorator_list), default=fixture.function.node.lineno)
    return Path(fixture.module.path).relative_to(folder).as_posix(), first
