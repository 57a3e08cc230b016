"""What the migration guide says that `fix` does is what it does. What it says of pytest is run by ``test_proofs``."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from flake8_async_tests.command import main
from flake8_async_tests.rules import all_rules
from tests.linting import lint_project
from tests.migration import GUIDE, Step, load_steps

if TYPE_CHECKING:
    from pathlib import Path

STEPS = load_steps()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that the command runs in."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(files: dict[str, str], project: Path) -> None:
    for name, text in files.items():
        (project / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("step", [pytest.param(step, id=step.title) for step in STEPS if step.command])
def test_that_the_command_makes_the_one_of_the_other(step: Step, project: Path) -> None:
    write(dict(step.page.example), project)
    program, *arguments = shlex.split(step.command)
    assert program == "flake8-async-tests"
    assert main(arguments) == 0
    assert {name: (project / name).read_text(encoding="utf-8") for name in step.page.example} == step.page.fixed


@pytest.mark.parametrize("step", [pytest.param(step, id=step.title) for step in STEPS])
def test_that_the_plugin_sees_the_difference(step: Step, tmp_path: Path) -> None:
    """Before a step there is a finding of the rules that it is about, after it there is none at all."""
    codes = set(re.findall(r"AT\d{3}", step.command or codes_of(step)))
    for name, files, expected in (("before", step.page.example, True), ("after", step.page.fixed, False)):
        directory = tmp_path / name
        directory.mkdir()
        found = lint_project(files, directory, ["--extend-select=AT901"] if "AT901" in codes else [])
        reported = {each.code for told in found.values() for each in told}
        assert reported >= codes if expected else not reported


def codes_of(step: Step) -> str:
    """The rules that a step by hand is about: those linked to beside these words."""
    text = GUIDE.read_text(encoding="utf-8").partition(f"## {step.title}\n")[2]
    (code,) = re.findall(r"^By hand \(\[(AT\d{3})\]", text, re.MULTILINE)[:1]
    return str(code)


def test_that_the_steps_were_read() -> None:
    assert len(STEPS) > 8
    assert {bool(step.command) for step in STEPS} == {True, False}


def test_that_the_table_says_what_is_done_by_fix() -> None:
    rows = re.findall(r"^\| [^|]+ \| [^|]+ \| (.+) \| (.+) \|$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)[2:]
    told = {code: done for codes, done in rows for code in re.findall(r"\[(AT\d{3})\]", codes)}
    words = {"safe": "yes", "unsafe": "with `--unsafe-fixes`", "": "-"}
    assert told == {code: words[rule.fix] for code in told for rule in all_rules() if rule.code == code}
