"""The plugin inside the real flake8: selection, options, standard input, jobs and crashes."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from flake8.main import cli

import flake8_async_tests.checker as checker_module
from flake8_async_tests.rule import Finding, FirstLine, Knows, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flake8_async_tests.source.module import Module

    Lint = Callable[..., list[str]]

UNMARKED = "async def test_total():\n    ...\n"
TWO_FAMILIES = "import asyncio\n\n\nasync def test_total():\n    asyncio.create_task(asyncio.sleep(0))\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that flake8 runs in."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def lint(capsys: pytest.CaptureFixture[str]) -> Lint:
    """Run flake8 in this process and give back its lines."""

    def run(*arguments: str) -> list[str]:
        cli.main(["-j1", *arguments])
        return capsys.readouterr().out.splitlines()

    return run


def feed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Let flake8 find a text on its standard input, whose first reading it would remember for good."""
    monkeypatch.setattr("flake8.utils.stdin_get_value", lambda: text)


def codes(lines: list[str]) -> list[str]:
    """This plugin's codes in flake8's lines: whatever else is installed beside it."""
    found = [line.split(": ", 1)[1].split(" ", 1)[0] for line in lines]
    return [code for code in found if code.startswith("AT")]


def test_that_flake8_names_the_plugin() -> None:
    shown = subprocess.run([sys.executable, "-m", "flake8", "--version"], capture_output=True, text=True, check=True)
    assert "flake8-async-tests: " in shown.stdout


def test_that_the_position_and_message_are_those_of_the_rule(project: Path, lint: Lint) -> None:
    (project / "test_orders.py").write_text("import os\n\n\nclass TestOrders:\n    async def test_total(self): ...\n")
    (line,) = lint("--select", "AT", "test_orders.py")
    assert line.startswith("test_orders.py:5:5: AT101 async test test_total never runs: asyncio_mode is strict")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--select", "AT"], ["AT101", "AT504"]),
        (["--select", "AT1"], ["AT101"]),
        (["--select", "AT101"], ["AT101"]),
        (["--select", "AT5"], ["AT504"]),
        (["--select", "AT", "--ignore", "AT101"], ["AT504"]),
        (["--select", "AT", "--extend-ignore", "AT5"], ["AT101"]),
        (["--select", "E9", "--extend-select", "AT1"], ["AT101"]),
        (["--select", "AT", "--per-file-ignores", "test_orders.py:AT1"], ["AT504"]),
        ([], ["AT101", "AT504"]),
    ],
)
def test_selection(project: Path, lint: Lint, arguments: list[str], expected: list[str]) -> None:
    (project / "test_orders.py").write_text(TWO_FAMILIES)
    assert codes(lint(*arguments, "test_orders.py")) == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--select", "AT"], []),
        (["--ignore", "E203"], []),
        (["--extend-ignore", "E203"], []),
        (["--select", "AT9"], ["AT901"]),
        (["--select", "AT1,AT901"], ["AT901"]),
        (["--select", "AT902"], []),
        (["--extend-select", "AT9"], ["AT901"]),
        (["--select", "AT", "--extend-select", "AT901"], ["AT901"]),
        (["--extend-select", "AT9", "--ignore", "AT901"], []),
    ],
)
def test_that_opinions_are_given_only_when_asked_for(
    project: Path, lint: Lint, arguments: list[str], expected: list[str]
) -> None:
    (project / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    (project / "test_orders.py").write_text(
        "import pytest\n\n\n@pytest.mark.asyncio\nasync def test_total(order):\n    await order\n"
    )
    assert codes(lint(*arguments, "test_orders.py")) == expected


def test_that_a_configuration_file_can_ask_for_opinions(project: Path, lint: Lint) -> None:
    (project / ".flake8").write_text("[flake8]\nextend-select = AT9\nignore = W503\n")
    (project / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    (project / "test_orders.py").write_text(
        "import pytest\n\n\n@pytest.mark.asyncio\nasync def test_total(order):\n    await order\n"
    )
    assert codes(lint("test_orders.py")) == ["AT901"]


def test_noqa(project: Path, lint: Lint) -> None:
    (project / "test_orders.py").write_text(
        "async def test_one(): ...  # noqa: AT101\nasync def test_two(): ...  # noqa: AT1\n"
        "async def test_three(): ...  # noqa\nasync def test_four(): ...  # noqa: AT504\n"
    )
    assert [line.split(":")[1] for line in lint("--select", "AT", "test_orders.py")] == ["4"]


def test_that_standard_input_is_the_file_that_it_is_said_to_be(
    project: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "service").mkdir()
    (project / "service" / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    (project / "service" / "test_orders.py").write_text("this is not what the editor holds")
    for name, expected in [("service/test_orders.py", []), ("test_orders.py", ["AT101"]), ("orders.py", [])]:
        feed(monkeypatch, UNMARKED)
        assert codes(lint("--select", "AT", "--stdin-display-name", name, "-")) == expected


def test_that_an_editor_may_run_elsewhere_and_name_the_whole_path(
    project: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    (project / "service").mkdir()
    (project / "service" / "pytest.ini").write_text("[pytest]\nasyncio_mode = strict\n")
    (project / "elsewhere").mkdir()
    monkeypatch.chdir(project / "elsewhere")
    for folder, expected in [("service", ["AT101"]), ("new", []), (".", [])]:
        feed(monkeypatch, UNMARKED)
        name = str(project / folder / "test_orders.py")
        assert codes(lint("--select", "AT", "--stdin-display-name", name, "-")) == expected


def test_that_the_buffer_of_a_conftest_counts_for_itself(
    project: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "conftest.py").write_text("")
    feed(monkeypatch, "import pytest\n\npytestmark = pytest.mark.asyncio\n")
    assert codes(lint("--select", "AT", "--stdin-display-name", "conftest.py", "-")) == ["AT113"]


def test_every_way_to_name_a_file(project: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    service = project / "service"
    service.mkdir()
    (service / "conftest.py").write_text("import pytest\n\n\n@pytest.fixture\ndef anyio_backend(): ...\n")
    (service / "test_orders.py").write_text("async def test_one(anyio_backend): ...\nasync def test_two(): ...\n")
    elsewhere = project / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "link").symlink_to(service)
    for path in (
        "service",
        "service/test_orders.py",
        str(service),
        "elsewhere/link/test_orders.py",
        "./service/../service",
    ):
        found = lint("--select", "AT", path)
        (line,) = found
        assert line.endswith(
            ":2:1: AT101 async test test_two never runs: asyncio_mode is strict (the default, no pytest configuration"
            " was found) and nothing else runs it (mark it @pytest.mark.asyncio)"
        ), path
    monkeypatch.chdir(service)
    assert codes(lint("--select", "AT", "test_orders.py")) == ["AT101"]


def test_that_jobs_change_nothing(project: Path) -> None:
    for number in range(12):
        folder = project / f"part{number % 3}"
        folder.mkdir(exist_ok=True)
        (folder / f"test_{number}.py").write_text(UNMARKED * 1)
    (project / "part1" / "conftest.py").write_text("def pytest_pyfunc_call(pyfuncitem): ...\n")
    outputs = [
        subprocess.run(
            [sys.executable, "-m", "flake8", "--select", "AT", jobs, "."], capture_output=True, text=True, check=False
        ).stdout
        for jobs in ("-j1", "-j8")
    ]
    assert outputs[0] == outputs[1]
    assert outputs[0].count("AT101") == 8


@pytest.mark.parametrize("name", [".flake8", "setup.cfg", "tox.ini"])
@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("async-tests-asyncio-mode = auto", UNMARKED),
        ("async_tests_asyncio_mode = auto", UNMARKED),
        ("async-tests-marks = qasync, twisted", f"import pytest\n\n\n@pytest.mark.qasync\n{UNMARKED}"),
    ],
)
def test_options_from_each_configuration_file(project: Path, lint: Lint, name: str, option: str, text: str) -> None:
    (project / "test_orders.py").write_text(text)
    assert codes(lint("--select", "AT1", "test_orders.py")) == ["AT101"]
    (project / name).write_text(f"[flake8]\n{option}\n")
    assert lint("--select", "AT1", "test_orders.py") == []


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("--async-tests-asyncio-mode=legacy", "'legacy', but only auto and strict are modes"),
        ("--async-tests-max-sleep=long", "async-tests-max-sleep is 'long', but it takes a number of seconds"),
        ("--async-tests-max-sleep=-1", "async-tests-max-sleep is '-1'"),
        ("--async-tests-max-elapsed=nan", "async-tests-max-elapsed is 'nan'"),
        ("--async-tests-max-elapsed=inf", "async-tests-max-elapsed is 'inf'"),
        ("--async-tests-pytest-asyncio=newest", "'newest', but it takes a version, such as 0.24"),
        (f"--async-tests-pytest-asyncio={'1' * 5000}", "', but it takes a version, such as 0.24"),
    ],
)
def test_bad_values(project: Path, capsys: pytest.CaptureFixture[str], argument: str, words: str) -> None:
    (project / "test_orders.py").write_text("")
    assert cli.main(["-j1", argument, "test_orders.py"]) == 1
    assert words in capsys.readouterr().out


def test_that_bad_values_in_a_file_are_told_too(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "setup.cfg").write_text("[flake8]\nasync-tests-max-sleep = soon\n")
    assert cli.main(["-j1", "."]) == 1
    assert "async-tests-max-sleep is 'soon'" in capsys.readouterr().out


def test_that_help_tells_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    shown = capsys.readouterr().out
    for option in ("asyncio-mode", "marks", "max-sleep", "max-elapsed", "pytest-asyncio"):
        assert f"--async-tests-{option}" in shown


def test_that_a_crash_names_the_file_and_the_rule(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(module: Module) -> Iterator[Finding]:
        yield Finding(FirstLine(), "before it fails")
        raise ValueError(f"no such thing in {os.path.basename(module.path)}")

    monkeypatch.setattr(checker_module, "all_rules", lambda: (Rule("AT199", "broken", Knows.FILE, check),))
    (project / "test_orders.py").write_text(UNMARKED)
    assert cli.main(["-j1", "test_orders.py"]) == 1
    shown = capsys.readouterr().out
    assert "test_orders.py" in shown
    assert "flake8-async-tests, rule AT199" in shown
    assert "no such thing" in shown


def test_that_columns_are_counted_in_characters(project: Path, lint: Lint) -> None:
    (project / "test_orders.py").write_text(
        "import pytest\n\n\n"
        'def label(text):\n    return text\n\n\n"grüße"; fixture = label("größe"); mark = pytest.mark.asyncio("ü")\n',
        encoding="utf-8",
    )
    (line,) = lint("--select", "AT109", "test_orders.py")
    assert line.startswith("test_orders.py:8:43: AT109")


def test_that_files_which_are_no_tests_are_left_alone(project: Path, lint: Lint) -> None:
    (project / "orders.py").write_text(f"TEXT = '''\nimport pytest\n'''\n{TWO_FAMILIES}")
    assert lint("--select", "AT", "orders.py") == []
