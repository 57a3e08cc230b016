"""`flake8-async-tests explain` and `rules`."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import flake8_async_tests.command.pages as pages_module
from flake8_async_tests import __version__
from flake8_async_tests.command import main
from flake8_async_tests.command.pages import summary_of, text_of_page
from flake8_async_tests.rules import all_rules

PAGES = Path(__file__).parent.parent / "docs" / "rules"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


# -- explain ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["AT107", "at107", "asyncio-mark-on-sync-test"])
def test_that_a_page_is_shown_as_it_is(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", text]) == 0
    assert capsys.readouterr().out == (PAGES / "AT107.md").read_text(encoding="utf-8")


def test_that_several_pages_follow_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "AT107", "AT108"]) == 0
    shown = capsys.readouterr().out
    assert shown.index("# AT107: ") < shown.index("\n\n# AT108: ")


def test_that_a_terminal_gets_headings_and_code_set_off(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert main(["explain", "AT112"]) == 0
    shown = terminal.getvalue()
    assert "\x1b[1m\x1b[4mAT112: asyncio-and-anyio-marks\x1b[0m\n" in shown
    assert "\x1b[1mExample\x1b[0m\n" in shown
    assert "    \x1b[36mimport pytest\x1b[0m\n" in shown
    assert "```" not in shown
    assert "](" not in shown


def test_that_files_are_named_and_links_are_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (
        "# AT1: x\n\n```ini pytest.ini\n[pytest]\n```\n\n"
        "See [AT2](AT2.md), [it](https://example.org) *now* and `code` or `*not*`."
    )
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr("flake8_async_tests.command.explain.text_of_page", lambda _: page)
    monkeypatch.delenv("NO_COLOR", raising=False)
    main(["explain", "AT107"])
    assert "    \x1b[2mpytest.ini\x1b[0m\n    \x1b[36m[pytest]\x1b[0m\n" in terminal.getvalue()
    assert (
        "See AT2, it (https://example.org) \x1b[3mnow\x1b[0m and \x1b[36mcode\x1b[0m or \x1b[36m*not*\x1b[0m."
        in terminal.getvalue()
    )


def test_that_a_terminal_may_want_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("NO_COLOR", "1")
    main(["explain", "AT107"])
    assert "\x1b" not in terminal.getvalue()


@pytest.mark.parametrize(
    ("text", "suggested"),
    [
        ("AT10", "AT101 unmarked-async-test, AT102 async-test-in-sync-testcase, AT103 "),
        ("at", "AT101 unmarked-async-test, "),
        ("AT1O7", "AT107 asyncio-mark-on-sync-test, "),
        ("AT540", "AT504 dangling-task, AT405 wrong-mock-for-async-dunder, AT510 "),
        ("AT999", "AT909 lifespan-not-run?"),
        ("AT5044", "AT504 dangling-task?"),
        ("504", "AT504 dangling-task, "),
        ("dangling-tasks", "AT504 dangling-task"),
        ("dangling_task", "AT504 dangling-task?"),
        ("httpx-app", "AT701 httpx-app-argument"),
        ("clock", "AT603 wall-clock-assertion, AT607 frozen-clock-with-sleep?"),
    ],
)
def test_that_an_unknown_rule_is_told_with_the_nearest(
    text: str, suggested: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", text]) == 2
    assert f"no rule is called {text!r} (did you mean {suggested}" in capsys.readouterr().err


def test_that_all_unknown_rules_are_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "AT107", "qqqq", "zzzz"]) == 2
    shown = capsys.readouterr()
    assert shown.err == "flake8-async-tests: no rule is called 'qqqq'; no rule is called 'zzzz'\n"
    assert shown.out == ""


@pytest.mark.parametrize("text", ["qqqq", "RUF006"])
def test_that_nothing_is_suggested_where_nothing_is_near(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", text]) == 2
    assert capsys.readouterr().err == f"flake8-async-tests: no rule is called {text!r}\n"


def test_pages_of_the_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = all_rules()[0]
    (tmp_path / f"{rule.code}.md").write_text("# x\n\n## What it does\n\nFinds\nit. Tells it.\n\nMore.\n")
    monkeypatch.setattr(pages_module, "_FOLDERS", (tmp_path / "none", tmp_path))
    assert summary_of(rule) == "Finds it."
    monkeypatch.setattr(pages_module, "_FOLDERS", (tmp_path / "none",))
    assert text_of_page(rule) == ""
    assert summary_of(rule) == ""


# -- rules ------------------------------------------------------------------------------------------------------------


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [rule.code for rule in all_rules()]
    assert [line.split()[:4] for line in lines if line.startswith("AT107")] == [
        ["AT107", "asyncio-mark-on-sync-test", "on", "safe"]
    ]
    assert [line.split()[:4] for line in lines if line.startswith("AT103")] == [
        ["AT103", "async-generator-test", "on", "-"]
    ]


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "--output-format", "markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| code | name | what it reports | looks at | default | fix |"
    assert len(lines) == len(all_rules()) + 2
    assert lines[2].startswith("| [AT101](docs/rules/AT101.md) | unmarked-async-test | ")


def test_that_the_json_has_the_keys_of_ruff(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "--output-format", "json"]) == 0
    described = json.loads(capsys.readouterr().out)
    assert [each["code"] for each in described] == [rule.code for rule in all_rules()]
    assert list(described[0]) == [
        "name",
        "code",
        "linter",
        "summary",
        "message_formats",
        "fix",
        "fix_availability",
        "explanation",
        "preview",
        "status",
        "category",
        "source_location",
    ]
    by_code = {each["code"]: each for each in described}
    assert by_code["AT107"]["fix_availability"] == "Sometimes"
    assert by_code["AT103"]["fix_availability"] == "None"
    assert by_code["AT107"]["status"] == {"Stable": {"since": "0.1.0"}}
    place = by_code["AT107"]["source_location"]
    path = Path(__file__).parent.parent / place["file"]
    assert path.read_text(encoding="utf-8").splitlines()[place["line"] - 1].startswith("@rule(")


# -- the command ------------------------------------------------------------------------------------------------------


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"{__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["explain"], ["lint"], ["rules", "--output-format", "xml"]])
def test_what_is_no_command(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_that_a_closed_pipe_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(text)

        def fileno(self) -> int:
            return 77

    closed: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "open", lambda *_: 78)
    monkeypatch.setattr(os, "dup2", lambda *numbers: closed.append(numbers))
    monkeypatch.setattr(sys, "stdout", Closed())
    assert main(["rules"]) == 1
    assert closed == [(78, 77)]


def test_that_a_reader_may_leave_early() -> None:
    command = f"{sys.executable} -m flake8_async_tests rules --output-format json | head -c 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stdout == "["
    assert done.stderr == ""
