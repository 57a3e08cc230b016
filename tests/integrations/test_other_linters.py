"""The page about other linters, held to what they report."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from flake8_async_tests.rules import all_rules
from tests.documents import ROOT, texts_of
from tests.pages import PAGES, load_page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PAGE = "docs/beside.md"

CODE = re.compile(r"`([A-Z]+\d+|[a-z]+(?:-[a-z]+)+)`(\*?)")

UNRELATED = {
    # What a function of the example is besides: async without an await, or a fixture without a value.
    "": ("ASYNC124", "ASYNC910", "ASYNC911", "RUF029", "PT004"),
    # Any other value than AsyncMock in that place is reported as well.
    "AT407": ("shared-clock-mock",),
}
"""Codes that stand on the line of a finding for another reason, by the rule of the finding (or all)."""

OF_INTEREST = re.compile(r"(?:ASYNC|B|BLE|PGH|PT|RUF|SIM|TRY|UP)\d+|S1[1-9]\d|[a-z-]+")
"""The rules over there that may say the same as one here, whether the page names them or not."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A cell of the table: a tool says the same as a rule, by this code."""

    rule: str
    tool: str
    code: str
    is_off_by_default: bool

    @property
    def run_by(self) -> str:
        """What runs the tool: some are plugins of flake8."""
        return "flake8" if self.tool.startswith("flake8-") else self.tool


def rows(heading: str) -> list[dict[str, str]]:
    """The rows of the table below the line that its head begins with."""
    lines = (ROOT / PAGE).read_text(encoding="utf-8").splitlines()
    start = lines.index(heading)
    titles = cells(heading)
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append(dict(zip(titles, cells(line), strict=True)))
    return found


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


SAME = rows("| rule | ruff | flake8-async | flake8-pytest-style | mypy | Sonar | the difference |")
ALIKE = rows("| rule | what looks alike |")
TOOLS = ("ruff", "flake8-async", "flake8-pytest-style", "mypy")


def rule_of(row: Mapping[str, str]) -> str:
    (code,) = re.findall(r"^\[(AT\d{3})\]\(rules/\1\.md\)$", row["rule"])
    return str(code)


def claims() -> Iterator[Claim]:
    for row in SAME:
        for tool in TOOLS:
            for code, star in CODE.findall(row[tool]):
                yield Claim(rule_of(row), tool, code, bool(star))


CLAIMS = list(claims())


# -- running them -----------------------------------------------------------------------------------------------------

Place = tuple[str, int]


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example of every page, each a project of its own."""
    directory = tmp_path_factory.mktemp("examples")
    for rule in all_rules():
        for name, text in load_page(PAGES / f"{rule.code}.md").example.items():
            path = directory / rule.code / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (directory / rule.code / ".git").mkdir()
    return directory


def reported_by_ruff(directory: Path, *arguments: str, preview: bool) -> set[tuple[str, str, int]]:
    """The codes (names where there are none), files and lines."""
    ended = run(
        *("ruff", "check", "--output-format=json", "--exit-zero", "--target-version=py313", *arguments),
        *(["--preview"] if preview else []),
        ".",
        directory=directory,
    )
    return {
        (found["code"] or found["name"], shown(found["filename"], directory), found["location"]["row"])
        for found in json.loads(ended)
    }


def reported_by_flake8(directory: Path, *arguments: str) -> set[tuple[str, str, int]]:
    ended = run("flake8", "--isolated", "--exit-zero", *arguments, ".", directory=directory)
    return {
        (code, path.removeprefix("./"), int(line))
        for path, line, code in re.findall(r"^(.+?):(\d+):\d+: (\w+) ", ended, re.MULTILINE)
    }


def reported_by_mypy(directory: Path, *arguments: str) -> set[tuple[str, str, int]]:
    ended = run(
        "mypy",
        "--config-file=",
        "--check-untyped-defs",
        "--ignore-missing-imports",
        *arguments,
        ".",
        directory=directory,
    )
    return {
        (code, path, int(line))
        for path, line, code in re.findall(r"^(.+?):(\d+): error: .+\[([a-z-]+)\]$", ended, re.MULTILINE)
    }


def run(module: str, *arguments: str, directory: Path, text: str = "") -> str:
    ended = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=directory,
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert ended.returncode in (0, 1), ended.stderr
    return ended.stdout


def shown(path: str, directory: Path) -> str:
    return path.removeprefix(f"{directory.as_posix()}/")


@pytest.fixture(scope="module")
def reported(examples: Path) -> dict[str, set[tuple[str, str, int]]]:
    """What each tool says at all, with everything asked for."""
    return {
        "flake8": reported_by_flake8(examples, "--select=AT,AT9,ASYNC,B,PT"),
        "ruff": reported_by_ruff(examples, "--isolated", "--select=ALL", preview=True),
    }


@pytest.fixture(scope="module")
def reported_by_default(examples: Path) -> dict[str, set[tuple[str, str, int]]]:
    """What each tool says without what has to be asked for in particular, of the rules that the page speaks of."""
    return {
        "flake8": reported_by_flake8(examples, f"--filename={','.join(f'*/{claim.rule}/*.py' for claim in CLAIMS)}"),
        "ruff": reported_by_ruff(examples, "--isolated", "--select=ALL", preview=False),
    }


def lines_of(code: str, example: str, found: set[tuple[str, str, int]]) -> set[Place]:
    return {(path, line) for each, path, line in found if each == code and path.startswith(f"{example}/")}


# -- comments that silence a finding -----------------------------------------------------------------------------------

SILENCED = """\
import os  # noqa: F401, AT107

import pytest


@pytest.mark.asyncio  # noqa: AT107
def test_one(): ...


async def test_two(): ...  # noqa: AT1
"""


def fix_by_ruff(directory: Path, *arguments: str) -> str:
    """What becomes of the file when ruff tidies `# noqa` comments, in preview too."""
    path = directory / "test_one.py"
    path.write_text(SILENCED, encoding="utf-8")
    for preview in ((), ("--preview",)):
        run("ruff", "check", "--select=RUF100,RUF102", "--fix", *preview, *arguments, ".", directory=directory)
    return path.read_text(encoding="utf-8")


def test_that_ruff_leaves_the_comments_alone_with_the_setting(tmp_path: Path) -> None:
    settings, _ = texts_of(PAGE, "toml pyproject.toml")
    (tmp_path / "pyproject.toml").write_text(settings, encoding="utf-8")
    assert fix_by_ruff(tmp_path) == SILENCED.replace("F401, AT107", "AT107")
    assert not re.findall(r"^\S+: (AT\d+)", run("flake8", "--select=AT", ".", directory=tmp_path), re.MULTILINE)
    (readme,) = texts_of("README.md", "toml")
    assert readme == settings


def test_that_ruff_deletes_the_comments_without_the_setting(tmp_path: Path) -> None:
    shown = run("ruff", "check", "--isolated", "--select=RUF102", "-", directory=tmp_path, text=SILENCED)
    assert "Found 3 errors." in shown
    assert "noqa" not in fix_by_ruff(tmp_path, "--isolated")


# -- the tables -------------------------------------------------------------------------------------------------------


def test_that_the_page_was_read() -> None:
    assert len(SAME) > 10
    assert len(ALIKE) > 3
    assert {claim.tool for claim in CLAIMS} == set(TOOLS)


@pytest.mark.parametrize("claim", [claim for claim in CLAIMS if claim.tool != "mypy"], ids=str)
def test_that_the_other_one_reports_the_same_line(
    claim: Claim,
    reported: Mapping[str, set[tuple[str, str, int]]],
    reported_by_default: Mapping[str, set[tuple[str, str, int]]],
) -> None:
    lines = lines_of(claim.rule, claim.rule, reported["flake8"])
    assert lines_of(claim.code, claim.rule, reported[claim.run_by]) & lines
    is_on = bool(lines_of(claim.code, claim.rule, reported_by_default[claim.run_by]) & lines)
    assert is_on is not claim.is_off_by_default


@pytest.mark.parametrize("claim", [claim for claim in CLAIMS if claim.tool == "mypy"], ids=str)
def test_that_mypy_reports_the_same_line(
    claim: Claim, examples: Path, reported: Mapping[str, set[tuple[str, str, int]]]
) -> None:
    lines = {(path.partition("/")[2], line) for path, line in lines_of(claim.rule, claim.rule, reported["flake8"])}
    asked_for = [f"--enable-error-code={claim.code}"] if claim.is_off_by_default else []
    for arguments, is_reported in (([], not claim.is_off_by_default), (asked_for, True)):
        found = reported_by_mypy(examples / claim.rule, *arguments)
        assert bool(lines & {(path, line) for code, path, line in found if code == claim.code}) is is_reported


def test_that_the_table_is_complete(reported: Mapping[str, set[tuple[str, str, int]]]) -> None:
    """Whatever is told on the line of a finding of the rule that the example is about, the page knows."""
    known = {(claim.rule, claim.run_by, claim.code) for claim in CLAIMS}
    found: set[tuple[str, str, str]] = set()
    for rule in all_rules():
        lines = lines_of(rule.code, rule.code, reported["flake8"])
        for tool, told in reported.items():
            found |= {
                (rule.code, tool, code)
                for code, path, line in told
                if (path, line) in lines and OF_INTEREST.fullmatch(code)
                if code not in UNRELATED[""] + UNRELATED.get(rule.code, ())
            }
    assert found <= known


def test_that_what_looks_alike_says_nothing(reported: Mapping[str, set[tuple[str, str, int]]]) -> None:
    for row in ALIKE:
        rule = rule_of(row)
        assert lines_of(rule, rule, reported["flake8"])
        for code, _ in CODE.findall(row["what looks alike"]):
            for tool, told in reported.items():
                assert not lines_of(code, rule, told), (rule, tool, code)


STARTERS = """\
import asyncio


async def work() -> None: ...


async def test_work() -> None:
    loop = asyncio.get_running_loop()
    asyncio.create_task(work())
    asyncio.ensure_future(work())
    asyncio.gather(work())
    loop.create_task(work())
    loop.run_in_executor(None, print)
"""
FIRST_STARTER = 9


def test_what_starts_a_task_for_whom(tmp_path: Path) -> None:
    """The difference that the page names between AT504 and the others."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "test_work.py").write_text(STARTERS, encoding="utf-8")
    told = {
        *reported_by_flake8(tmp_path, "--select=AT504,ASYNC300"),
        *reported_by_ruff(tmp_path, "--isolated", "--select=RUF006", preview=False),
        *reported_by_mypy(tmp_path, "--enable-error-code=unused-awaitable"),
    }
    numbers = {code: sorted(line - FIRST_STARTER for each, _, line in told if each == code) for code, _, _ in told}
    assert numbers == {
        "AT504": [0, 1, 2, 3, 4],
        "unused-awaitable": [0, 1, 2, 3, 4],
        "RUF006": [0, 1, 3],
        "ASYNC300": [0],
    }


def test_that_every_sonar_rule_is_cited() -> None:
    for row in SAME:
        if row["Sonar"] != "-":
            assert re.fullmatch(r"\[S(\d+)\]\(https://rules\.sonarsource\.com/python/RSPEC-\1/\)", row["Sonar"])


# -- the settings -----------------------------------------------------------------------------------------------------


def test_that_ruff_is_silent_about_tests_when_told_to_be(examples: Path, tmp_path: Path) -> None:
    _, settings = texts_of(PAGE, "toml pyproject.toml")
    (tmp_path / "pyproject.toml").write_text(settings, encoding="utf-8")
    ruff = {claim.code for claim in CLAIMS if claim.tool == "ruff" and "-" not in claim.code}
    for folder in ("tests", "app"):
        for claim in CLAIMS:
            target = tmp_path / folder / claim.rule / "test_example.py"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text((examples / claim.rule / "test_example.py").read_text(encoding="utf-8"), encoding="utf-8")
    found = reported_by_ruff(tmp_path, f"--select={','.join(sorted(ruff))}", preview=True)
    assert not [each for each in found if each[1].startswith("tests/")]
    assert {code for code, path, _ in found if path.startswith("app/")} == ruff


def test_that_this_plugin_is_silent_when_told_to_be(examples: Path, tmp_path: Path) -> None:
    settings, _ = texts_of(PAGE, "ini .flake8")
    ignored = set(re.findall(r"AT\d+", settings))
    assert {claim.rule for claim in CLAIMS if claim.tool == "ruff" and not claim.is_off_by_default} - {
        "AT710"
    } == ignored
    configuration = tmp_path / "flake8.ini"
    configuration.write_text(settings, encoding="utf-8")
    found = run(
        "flake8",
        f"--config={configuration}",
        "--select=AT",
        "--exit-zero",
        *sorted(ignored),
        "AT101",
        directory=examples,
    )
    assert "AT101" in found
    assert not ignored & set(re.findall(r": (AT\d+) ", found))


def test_that_the_other_plugins_are_silent_about_tests_when_told_to_be(examples: Path, tmp_path: Path) -> None:
    _, settings = texts_of(PAGE, "ini .flake8")
    named = {claim.code for claim in CLAIMS if claim.tool.startswith("flake8-")}
    assert set(re.findall(r"[A-Z]+\d+", settings)) == named - {"ASYNC910"}
    (tmp_path / ".flake8").write_text(settings, encoding="utf-8")
    for claim in CLAIMS:
        target = tmp_path / "tests" / claim.rule / "test_example.py"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text((examples / claim.rule / "test_example.py").read_text(encoding="utf-8"), encoding="utf-8")
    found = run("flake8", "--exit-zero", "--extend-select=ASYNC124", ".", directory=tmp_path)
    assert "tests/AT504/test_example.py:12:5: AT504" in found
    assert not named & set(re.findall(r": (\w+) ", found)) - {"ASYNC910"}
