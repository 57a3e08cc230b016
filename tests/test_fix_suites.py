"""Whole suites as one wrote them years ago, and what `fix` makes of them; ``test_proofs`` shows both to real pytest."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from flake8_async_tests.command import main
from tests.linting import Reported, lint_project
from tests.migration import SUITES, Step, load_steps
from tests.proofs import write_project

if TYPE_CHECKING:
    from pathlib import Path

STEPS = [pytest.param(step, id=path.stem) for path in SUITES for step in load_steps(path)]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that the command runs in."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(step: Step, project: Path) -> dict[str, str]:
    return {name: (project / name).read_text(encoding="utf-8") for name in step.page.example}


@pytest.mark.parametrize("step", STEPS)
def test_that_the_command_does_what_is_mechanical(
    step: Step, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_project(step.page.example, project)
    program, *arguments = shlex.split(step.command)
    assert program == "flake8-async-tests"
    assert main([*arguments, "--check"]) == 1
    assert read(step, project) == step.page.example
    # Something is always left for a human.
    assert main(arguments) == 1
    assert read(step, project) == step.page.fixed
    assert capsys.readouterr().out.splitlines()[-1].endswith(f"in {changed(step)} files, {len(step.left)} left")
    assert main([*arguments, "--check"]) == 0
    assert main(arguments) == 1
    assert read(step, project) == step.page.fixed


def changed(step: Step) -> int:
    return sum(text != step.page.fixed[name] for name, text in step.page.example.items())


@pytest.mark.parametrize("step", STEPS)
def test_that_the_rest_is_reported(step: Step, tmp_path: Path) -> None:
    options = ["--extend-select=AT901"] if "AT901" in step.command else []
    found = lint_project(step.page.fixed, tmp_path, options, ["AT1", "AT2", "AT3", "AT4", "AT5", "AT6", "AT7", "AT8"])
    assert tuple(f"{name}:{each.line}:{each.column} {each.code}" for name in found for each in found[name]) == step.left


def test_that_each_mechanical_step_of_the_guide_is_made_in_some_suite(tmp_path: Path) -> None:
    steps = {code for step in load_steps() for code in re.findall(r"AT\d{3}", step.command)}
    made: set[str] = set()
    for path in SUITES:
        for step in load_steps(path):
            (tmp_path / path.stem).mkdir()
            before, after = (
                lint_project(files, tmp_path / path.stem, ["--extend-select=AT901"])
                for files in (step.page.example, step.page.fixed)
            )
            made |= codes_in(before) - codes_in(after)
    assert len(steps) > 8
    assert made >= steps


def codes_in(found: dict[str, list[Reported]]) -> set[str]:
    return {each.code for reported in found.values() for each in reported}


def test_that_there_is_a_suite_of_each_kind() -> None:
    suites = {path.stem: path.read_text(encoding="utf-8") for path in SUITES}
    assert {name for name, text in suites.items() if "asyncio_mode = strict" in text} == {"library", "shop"}
    assert {name for name, text in suites.items() if 'asyncio_mode = "auto"' in text} == {"couriers"}
