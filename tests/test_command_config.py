"""`flake8-async-tests config`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from flake8_async_tests.command import main
from flake8_async_tests.options import Options
from flake8_async_tests.project.project import Project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that the command runs in."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sections(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("  "):
            found[list(found)[-1]].append(line[2:])
        else:
            found[line.removesuffix(":")] = []
    return found


def test_a_project(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "pyproject.toml").write_text("[project]\nname = 'shop'\n")
    (project / "tox.ini").write_text("[tox]\n\n[pytest]\nasyncio_mode = auto\npython_files = check_*.py\n")
    (project / "setup.cfg").write_text("[tool:pytest]\nasyncio_mode = strict\n")
    tests = project / "tests" / "unit"
    tests.mkdir(parents=True)
    (project / "conftest.py").write_text(
        "import pytest\nfrom plugin import *\npytest_plugins = ['pytest_mock', 'plugin']\n\n\n"
        "@pytest.fixture(scope='session', autouse=True)\nasync def database():\n    yield\n"
    )
    (project / "plugin.py").write_text(
        "import pytest\nimport pytest_asyncio\n\n\n@pytest.fixture\ndef order(): ...\n\n\n"
        "made = pytest.fixture(name='article')(dict)\n"
    )
    (tests / "conftest.py").write_text("import pytest\n\n\n@pytest.fixture(name='order')\ndef other(): ...\n")
    (tests / "check_one.py").write_text("async def test_one(order): ...\n")
    assert main(["config", "tests/unit/check_one.py"]) == 0
    shown = sections(capsys.readouterr().out)
    assert shown == {
        "configuration": [f"rootdir: {project}", "file: tox.ini, [pytest] on line 3"],
        "settings": [
            "asyncio_mode: auto (tox.ini:4)",
            "asyncio_default_fixture_loop_scope: each fixture's own scope (the default)",
            "asyncio_default_test_loop_scope: function (the default)",
            "python_files: check_*.py (tox.ini:5)",
            "python_classes: Test (the default)",
            "python_functions: test (the default)",
        ],
        "passed over": ["pyproject.toml: nothing in it is for pytest", "setup.cfg: tox.ini wins"],
        "conftest chain": [
            "tests/unit/conftest.py",
            "conftest.py",
            "plugin.py",
            "pytest_mock, a plugin from outside",
        ],
        "fixtures in sight": [
            "article: cannot be read",
            "database: async, scope session, loop scope session, autouse (conftest.py:7)",
            "order: sync, scope function (tests/unit/conftest.py:5)",
        ],
        "problems": ["none"],
    }


def test_what_a_class_sees(tmp_path: Path) -> None:
    path = tmp_path / "test_one.py"
    text = (
        "import pytest\nfrom plugin import *\n\n@pytest.fixture\ndef order(): ...\n\nclass TestIt:\n"
        "    @pytest.fixture\n    def order(self): ...\n\n    @pytest.fixture(name='b')\n    def a(self): ...\n"
    )
    (tmp_path / "plugin.py").write_text(
        f"from test_one import *\n__all__ = ['public']\n{text}public = secret = order\n"
    )
    path.write_text(text)
    module = Project(Options()).module_for(str(path), ast.parse(text), text)
    (klass,) = module.classes
    assert [entry.name for entry in module.fixture_graph.all_in_sight()] == ["order", "public"]
    found = module.fixture_graph.all_in_sight(klass)
    assert [(entry.name, entry.fixture and entry.fixture.klass) for entry in found] == [
        ("b", klass),
        ("order", klass),
        ("public", None),
    ]


def test_files_that_pytest_passes_over(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "pyproject.toml").write_text("[tool.pytest.ini_options]\nasyncio_mode = 'auto'\n")
    (project / "tox.ini").write_text("[tox]\n")
    tests = project / "tests"
    tests.mkdir()
    (tests / "pytest.ini").write_text("[tool:pytest]\nasyncio_mode = auto\n")
    (tests / "setup.cfg").write_text("[tool:pytest]\nasyncio_mode = auto\n")
    (tests / "test_one.py").write_text("def test_one(): ...\n")
    assert main(["config", "tests"]) == 1
    shown = sections(capsys.readouterr().out)
    assert shown["configuration"] == [
        f"rootdir: {tests}",
        "file: tests/pytest.ini, which counts although it has no [pytest]",
    ]
    assert shown["settings"][0] == "asyncio_mode: strict (the default, tests/pytest.ini does not set it)"
    assert shown["passed over"] == [
        "tests/setup.cfg: tests/pytest.ini wins",
        "pyproject.toml: tests/pytest.ini is nearer",
    ]
    (problem,) = (line for line in shown["problems"] if "AT801" in line)
    assert problem.startswith("tests/test_one.py:1: AT801 tests/pytest.ini:1: [tool:pytest] is ignored by pytest")


def test_a_broken_file_beside_the_one_that_counts(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    (project / "setup.cfg").write_text("[pytest]\nasyncio_mode = auto\n")
    main(["config"])
    shown = sections(capsys.readouterr().out)
    assert shown["passed over"] == ["setup.cfg: [pytest] in setup.cfg is an error, it must be [tool:pytest]"]


def test_fixtures_of_classes_and_those_that_nothing_runs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "pytest.ini").write_text("[pytest]\nasyncio_mode = strict\n")
    (project / "test_one.py").write_text(
        "import pytest\nimport pytest_asyncio\n\n\n"
        "@pytest.fixture\nasync def order(): ...\n\n\n"
        "@pytest.fixture\ndef article(): ...\n\n\n"
        "class TestOrders:\n    @pytest_asyncio.fixture(scope='class', loop_scope='module')\n"
        "    async def order(self, order): ...\n\n    def test_one(self, order): ...\n"
    )
    main(["config", "test_one.py"])
    assert sections(capsys.readouterr().out)["fixtures in sight"] == [
        "article: sync, scope function (test_one.py:10)",
        "order: async, scope function, not run by pytest-asyncio (test_one.py:6)",
        "order, in TestOrders: async, scope class, loop scope module (test_one.py:15)",
    ]


@pytest.mark.usefixtures("project")
def test_nothing_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config"]) == 0
    shown = sections(capsys.readouterr().out)
    assert shown["configuration"][1] == "file: none was found"
    assert shown["conftest chain"] == shown["fixtures in sight"] == shown["problems"] == ["none"]


def test_problems(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "pytest.ini").write_text("[pytest]\nasyncio_mode = automatic\n")
    (project / "tests").mkdir()
    (project / "tests" / "test_one.py").write_text("def test_one(): ...\n")
    assert main(["config", "tests"]) == 1
    shown = sections(capsys.readouterr().out)
    assert len(shown["problems"]) == 1
    assert shown["problems"][0].startswith("tests/test_one.py:1: AT803 pytest.ini:2: ")


def test_a_configuration_that_stops_pytest(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "pyproject.toml").write_text("[tool.pytest.ini_options\n")
    (project / "conftest.py").write_text("def broken(:\n")
    (project / "sub").mkdir()
    main(["config", "sub"])
    shown = sections(capsys.readouterr().out)
    assert any("pytest stops with an error" in line for line in shown["configuration"])
    assert shown["conftest chain"] == ["some of it cannot be read, so whatever it says is unknown"]


def test_modes_of_others(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "pytest.ini").write_text(
        "[pytest]\naddopts = -p no:asyncio\nanyio_mode = auto\ntrio_mode = true\n"
        "asyncio_default_test_loop_scope = session\n"
    )
    main(["config"])
    shown = sections(capsys.readouterr().out)
    assert "anyio_mode: auto (pytest.ini:3)" in shown["settings"]
    assert "trio_mode: true (pytest.ini:4)" in shown["settings"]
    assert "asyncio_default_test_loop_scope: session (pytest.ini:5)" in shown["settings"]
    assert "plugin disabled: asyncio" in shown["settings"]


def test_that_the_plugins_options_count(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / ".flake8").write_text("[flake8]\nasync-tests-asyncio-mode = auto\n")
    main(["config"])
    shown = sections(capsys.readouterr().out)
    assert shown["settings"][0] == "asyncio_mode: auto (the option async-tests-asyncio-mode)"


def test_a_setting_of_addopts(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "pytest.ini").write_text(
        "[pytest]\naddopts = -o asyncio_default_test_loop_scope=module --asyncio-mode=auto\n"
    )
    main(["config"])
    shown = sections(capsys.readouterr().out)
    assert "asyncio_mode: auto (pytest.ini:2, addopts)" in shown["settings"]
    assert "asyncio_default_test_loop_scope: module (pytest.ini:2, addopts)" in shown["settings"]


@pytest.mark.parametrize("path", ["missing.py", "broken.py"])
def test_what_cannot_be_read(project: Path, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "broken.py").write_text("def broken(:\n")
    assert main(["config", path]) == 2
    assert path in capsys.readouterr().err


def test_a_wrong_option_in_the_configuration(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / ".flake8").write_text("[flake8]\nasync-tests-asyncio-mode = none\n")
    assert main(["config"]) == 2
    assert "only auto and strict are modes" in capsys.readouterr().err
