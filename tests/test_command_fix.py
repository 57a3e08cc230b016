"""`flake8-async-tests fix`: what it changes, what it leaves, and what it says."""

from __future__ import annotations

import errno
import io
import os
import runpy
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import flake8_async_tests.command.fix as fix_module
import flake8_async_tests.command.users_flake8 as users_flake8_module
from flake8_async_tests.command import main
from flake8_async_tests.fixing.document import read_document
from flake8_async_tests.rule import Edit, Finding, Fix, Knows, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flake8_async_tests.source.module import Module

MARKED = "import pytest\n\n\n@pytest.mark.asyncio\ndef test_one(): ...\n"
FIXED = "def test_one(): ...\n"
COOKIE = b"# coding: latin-1\n'''\xe4'''\nimport os; os.sep\n"
LEFT = "async def test_two(): ...\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that the command runs in."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_that_it_fixes_what_flake8_reports(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = project / "test_one.py"
    path.write_text(MARKED)
    assert main(["fix"]) == 0
    assert path.read_text() == FIXED
    assert capsys.readouterr().out.splitlines() == [
        "AT107 asyncio-mark-on-sync-test: 1 finding fixed",
        "1 finding fixed in 1 file, none left",
    ]
    assert main(["fix", "test_one.py"]) == 0
    assert capsys.readouterr().out == "0 findings fixed in 0 files, none left\n"


def test_that_what_is_left_counts(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "test_one.py").write_text(LEFT)
    (project / "broken.py").write_text("def test_one(:\n")
    assert main(["fix"]) == 1
    assert "0 findings fixed in 0 files, 1 left" in capsys.readouterr().out


SUPPRESSIONS = {
    "select": ("[flake8]\nselect = E\n", MARKED),
    "ignore": ("[flake8]\nignore = AT107\n", MARKED),
    "extend-ignore": ("[flake8]\nextend-ignore = AT1\n", MARKED),
    "exclude": ("[flake8]\nexclude = tests\n", MARKED),
    "extend-exclude": ("[flake8]\nextend-exclude = test_*.py\n", MARKED),
    "filename": ("[flake8]\nfilename = check_*.py\n", MARKED),
    "per-file-ignores": ("[flake8]\nper-file-ignores = tests/*:AT107\n", MARKED),
    "noqa": ("", MARKED.replace(".asyncio", ".asyncio  # noqa: AT107")),
    "noqa of all": ("", MARKED.replace(".asyncio", ".asyncio  # noqa")),
    "noqa behind a statement": ("", MARKED.replace(".asyncio", "\\\n    .asyncio  # noqa: AT107")),
    "noqa of the file": ("", f"# flake8: noqa\n{MARKED}"),
}


@pytest.mark.parametrize(("configuration", "text"), SUPPRESSIONS.values(), ids=SUPPRESSIONS)
def test_that_what_is_suppressed_is_not_fixed(project: Path, configuration: str, text: str) -> None:
    (project / ".flake8").write_text(configuration)
    path = project / "tests" / "test_one.py"
    path.parent.mkdir()
    path.write_text(text)
    assert main(["fix"]) == 0
    assert path.read_text() == text


def test_that_a_suppression_that_flake8_is_told_to_disregard_counts_for_nothing(project: Path) -> None:
    (project / ".flake8").write_text("[flake8]\ndisable-noqa = true\n")
    path = project / "test_one.py"
    path.write_text(MARKED.replace(".asyncio", ".asyncio  # noqa: AT107"))
    assert main(["fix"]) == 0
    assert path.read_text() == FIXED


def test_that_a_folder_is_walked_as_flake8_walks_it(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = {name: project / name / "test_one.py" for name in ("tests", "tests/more", ".tox", "tests/.git", "built")}
    for path in places.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(MARKED)
    (project / "tests" / "test_none.txt").write_text(MARKED)
    (project / ".flake8").write_text("[flake8]\nextend-exclude = built\n")
    assert main(["fix", "."]) == 0
    assert {name for name, path in places.items() if path.read_text() == FIXED} == {"tests", "tests/more"}
    assert (project / "tests" / "test_none.txt").read_text() == MARKED
    assert "2 findings fixed in 2 files, none left" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "is_fixed"),
    [
        (["--select", "AT1"], True),
        (["--select", "at107,AT2"], True),
        (["--select", "asyncio-mark-on-sync-test"], True),
        (["--select", "AT2", "--select", "AT107"], True),
        (["--select", "AT2"], False),
        (["--ignore", "AT107"], False),
        (["--select", "AT1", "--ignore", "asyncio-mark-on-sync-test"], False),
    ],
)
def test_selection(project: Path, arguments: list[str], is_fixed: bool) -> None:
    path = project / "test_one.py"
    path.write_text(MARKED)
    main(["fix", *arguments])
    assert path.read_text() == (FIXED if is_fixed else MARKED)


@pytest.mark.parametrize(
    "arguments",
    [["missing.py"], ["--select", "AT999"], ["--select", ","], ["--ignore", "dangling"], ["--check", "-"]],
)
@pytest.mark.usefixtures("project")
def test_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fix", *arguments]) == 2
    assert capsys.readouterr().err.startswith("flake8-async-tests: ")


def test_that_a_wrong_option_in_the_configuration_is_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / ".flake8").write_text("[flake8]\nasync-tests-max-sleep = much\n")
    assert main(["fix"]) == 2
    assert "takes a number of seconds" in capsys.readouterr().err


def test_the_diff(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = project / "test_one.py"
    path.write_text(MARKED.removesuffix("\n"))
    assert main(["fix", "--diff"]) == 0
    shown = capsys.readouterr()
    assert path.read_text() == MARKED.removesuffix("\n")
    assert shown.out.splitlines() == [
        "--- ./test_one.py",
        "+++ ./test_one.py",
        "@@ -1,5 +1 @@",
        "-import pytest",
        "-",
        "-",
        "-@pytest.mark.asyncio",
        " def test_one(): ...",
        "\\ No newline at end of file",
    ]
    assert "1 finding would be fixed in 1 file" in shown.err


def test_that_the_diff_holds_the_very_bytes(project: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """So that it can be applied: with each file's encoding, byte order mark and line ends."""
    (project / "test_bom.py").write_bytes(b"\xef\xbb\xbf" + MARKED.encode())
    (project / "test_crlf.py").write_bytes(MARKED.replace("\n", "\r\n").encode())
    (project / "test_latin.py").write_bytes(COOKIE + MARKED.encode())
    assert main(["fix", "--diff"]) == 0
    removed = b"-import pytest\n-\n-\n-@pytest.mark.asyncio\n"
    assert capfdbinary.readouterr().out == b"".join(
        (
            b"--- ./test_bom.py\n+++ ./test_bom.py\n@@ -1,5 +1 @@\n",
            removed.replace(b"-import", b"-\xef\xbb\xbfimport"),
            b"-def test_one(): ...\n+\xef\xbb\xbfdef test_one(): ...\n",
            b"--- ./test_crlf.py\n+++ ./test_crlf.py\n@@ -1,5 +1 @@\n",
            removed.replace(b"\n", b"\r\n") + b" def test_one(): ...\r\n",
            b"--- ./test_latin.py\n+++ ./test_latin.py\n@@ -1,8 +1,6 @@\n",
            b" # coding: latin-1\n '''\xe4'''\n import os; os.sep\n-import pytest\n \n \n-@pytest.mark.asyncio\n",
            b" def test_one(): ...\n",
        )
    )


def test_the_check(project: Path) -> None:
    path = project / "test_one.py"
    path.write_text(LEFT)
    assert main(["fix", "--check"]) == 0
    path.write_text(MARKED)
    assert main(["fix", "--check"]) == 1
    assert path.read_text() == MARKED


@pytest.mark.parametrize(
    ("text", "arguments", "status"),
    [
        (LEFT, [], 1),
        (LEFT, ["--exit-zero"], 0),
        (LEFT, ["--exit-zero", "--check"], 0),
        (MARKED, ["--exit-zero"], 0),
        (MARKED, ["--exit-zero", "--check"], 1),
    ],
)
def test_that_what_is_left_may_be_somebody_elses_business(
    project: Path, text: str, arguments: list[str], status: int
) -> None:
    """A hook of pre-commit has mended what it can; another one reports."""
    (project / "test_one.py").write_text(text)
    assert main(["fix", *arguments]) == status


@pytest.mark.parametrize(
    ("head", "end"),
    [
        (b"\xef\xbb\xbf", b"\n"),
        (b"\xef\xbb\xbf", b"\r\n"),
        (COOKIE, b"\n"),
        (COOKIE, b"\r\n"),
        (b"'\xc3\xa4'\n", b"\r"),
    ],
)
def test_that_the_rest_of_the_file_stays_as_it_was(project: Path, head: bytes, end: bytes) -> None:
    path = project / "test_one.py"
    marked = head + b"import pytest\n@pytest.mark.asyncio\ndef test_one(): ..."
    path.write_bytes(marked.replace(b"\n", end))
    path.chmod(0o755)
    assert main(["fix"]) == 0
    assert path.read_bytes() == (head + b"def test_one(): ...").replace(b"\n", end)
    assert path.stat().st_mode & 0o777 == 0o755


def test_that_a_file_with_two_names_is_fixed_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = project / "test_one.py"
    path.write_text(MARKED)
    (project / "test_two.py").symlink_to(path)
    assert main(["fix"]) == 0
    assert path.read_text() == FIXED
    assert "1 finding fixed in 1 file" in capsys.readouterr().out


def test_that_a_file_is_fixed_by_whatever_name_it_is_found(project: Path) -> None:
    """Only one of them is that of a test file."""
    path = project / "a_one.py"
    path.write_text(MARKED)
    (project / "test_two.py").symlink_to(path)
    assert main(["fix"]) == 0
    assert path.read_text() == FIXED
    assert (project / "test_two.py").is_symlink()


def test_that_a_fixed_conftest_counts_for_the_others(project: Path) -> None:
    """What is said of a test is said of the project as it is after the fixes."""
    (project / "conftest.py").write_text("import pytest\n\n\n@pytest.mark.asyncio\n@pytest.fixture\ndef order(): ...\n")
    (project / "test_one.py").write_text(MARKED.replace("test_one()", "test_one(order)"))
    assert main(["fix"]) == 0
    assert "asyncio" not in (project / "conftest.py").read_text()


def test_that_it_can_be_run_as_a_module(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "test_one.py").write_text(MARKED)
    monkeypatch.setattr(sys, "argv", ["flake8-async-tests", "fix"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("flake8_async_tests", run_name="__main__")
    assert ended.value.code == 0
    assert (project / "test_one.py").read_text() == FIXED


def test_that_it_is_a_script_of_the_package() -> None:
    pyproject = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
    module, _, function = pyproject["project"]["scripts"]["flake8-async-tests"].partition(":")
    assert getattr(import_module(module), function) is main


# -- what can go wrong ------------------------------------------------------------------------------------------------


def rules_alone(monkeypatch: pytest.MonkeyPatch, check: Callable[[Module], Iterator[Finding]]) -> None:
    """Let a rule of the test stand for all."""
    monkeypatch.setattr(users_flake8_module, "all_rules", lambda: (Rule("AT107", "test", Knows.FILE, check, "safe"),))


def edit(module: Module, text: str) -> Finding:
    node = module.tree.body[0]
    end = (node.lineno, node.end_col_offset or 0)
    return Finding(node, "is wrong", Fix((Edit((node.lineno, node.col_offset), end, text),), safe=True))


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("import", "the fixes of AT107 would leave no valid Python"),
        ("import asyncio.events", "the fixes of AT107 do not mend what they are for"),
    ],
)
def test_that_a_fix_that_does_not_help_leaves_the_file_alone(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str, trouble: str
) -> None:
    def check(module: Module) -> Iterator[Finding]:
        yield edit(module, text)

    rules_alone(monkeypatch, check)
    path = project / "test_one.py"
    path.write_text("import asyncio\n")
    assert main(["fix"]) == 1
    assert path.read_text() == "import asyncio\n"
    assert f"./test_one.py stays as it was: {trouble}" in capsys.readouterr().out


def test_that_fixes_that_undo_each_other_come_to_an_end(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def check(module: Module) -> Iterator[Finding]:
        was = module.text.strip()
        finding = edit(module, "import asyncio" if was == "import anyio" else "import anyio")
        yield Finding(finding.node, f"{was} is wrong", finding.fix)

    rules_alone(monkeypatch, check)
    (project / "test_one.py").write_text("import asyncio\n")
    assert main(["fix"]) == 1
    assert (project / "test_one.py").read_text() == "import asyncio\n"
    assert "its fixes come to no end" in capsys.readouterr().out


def test_that_a_rule_that_crashes_is_told(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def check(module: Module) -> Iterator[Finding]:
        raise ZeroDivisionError(module.path)

    rules_alone(monkeypatch, check)
    (project / "test_one.py").write_text("import asyncio\n")
    assert main(["fix"]) == 2
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_that_another_ones_change_is_not_overwritten(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project / "test_one.py"
    path.write_text(MARKED)

    def changed_meanwhile(name: str) -> object:
        path.write_text(LEFT)
        return read_document(name)

    monkeypatch.setattr(fix_module, "read_document", changed_meanwhile)
    assert main(["fix"]) == 1
    assert path.read_text() == LEFT
    assert "somebody else has changed it meanwhile" in capsys.readouterr().out


def test_that_a_file_that_cannot_be_written_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    (project / "test_one.py").write_text(MARKED)
    monkeypatch.setattr(fix_module, "write_atomically", fail)
    assert main(["fix"]) == 1
    assert "it cannot be written: Permission denied" in capsys.readouterr().out


def test_that_the_other_files_are_written_when_one_cannot_be(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    replace = os.replace

    def disk_is_full(source: str, target: str) -> None:
        if target.endswith("test_one.py"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(source, target)

    for name in ("test_one.py", "test_two.py"):
        (project / name).write_text(MARKED)
    monkeypatch.setattr(os, "replace", disk_is_full)
    assert main(["fix"]) == 1
    assert (project / "test_one.py").read_text() == MARKED
    assert (project / "test_two.py").read_text() == FIXED
    assert sorted(os.listdir(project)) == [".git", "test_one.py", "test_two.py"]
    shown = capsys.readouterr().out
    assert "./test_one.py stays as it was: it cannot be written: No space left on device" in shown
    assert "1 finding fixed in 1 file" in shown


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_that_a_long_run_says_how_far_it_is(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "test_one.py").write_text(MARKED)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(fix_module, "_SECONDS_BETWEEN", 0.0)
    assert main(["fix"]) == 0
    shown = terminal.getvalue()
    assert "\r[1/1] ./test_one.py" in shown
    assert shown.endswith("\r")
    assert os.path.exists("test_one.py")
