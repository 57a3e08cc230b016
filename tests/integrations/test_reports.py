"""The formats of the page about reports, as the packages that it names write them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
from typing import TYPE_CHECKING

import pytest

from tests.documents import texts_of
from tests.integrations.checkout import environment, repository_of_this_checkout, repository_with

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "docs/reports.md"
ANNOTATIONS, MATCHER, SARIF = texts_of(PAGE, "yaml .github/workflows/lint.yml")
(GITLAB,) = texts_of(PAGE, "yaml .gitlab-ci.yml")

UNMARKED = "async def test_total():\n    assert await total() == 4\n"
FILES = {"tests/unit/test_sum.py": f"import asyncio\n\n\n{UNMARKED}", "tests/test_ok.py": "def test_ok(): ...\n"}
AT101 = "async test test_total never runs: asyncio_mode is strict (the default, no pytest configuration was found)"

NO_SITE = "http://127.0.0.1:9"
"""A proxy that nothing listens on: what asks the network fails at once."""

STAND_IN = """\
import requests


class Answer:
    def json(self):
        return [{"code": "E501", "message": "Line too long (82 > 79 characters)", "content": "<p>Long.</p>"}]


requests.get = lambda url, **options: Answer()
"""
"""Answers for the site that a formatter asks, so that the test does not depend on it."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return repository_with(FILES, tmp_path / "project")


def arguments_of(text: str) -> list[str]:
    """What flake8 is called with in a block of the page."""
    (command,) = re.findall(r"(?<=[:-] )flake8 (.+)", text)
    return str(command).split()


def run_flake8(
    arguments: list[str], project: Path, python: str = sys.executable, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-m", "flake8", *arguments],
        cwd=project,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )


def test_annotations_of_github(project: Path) -> None:
    ended = run_flake8(arguments_of(ANNOTATIONS), project)
    assert ended.returncode == 1
    (line,) = ended.stdout.splitlines()
    assert line.startswith(f"::error file=tests/unit/test_sum.py,line=4,col=1,title=AT101::{AT101}")


def test_the_problem_matcher(project: Path) -> None:
    (name,) = re.findall(r"::add-matcher::(.+)\"", MATCHER)
    (text,) = texts_of(PAGE, f"json {name}")
    (matcher,) = json.loads(text)["problemMatcher"]
    (pattern,) = matcher["pattern"]
    ended = run_flake8(arguments_of(MATCHER), project)
    (match,) = filter(None, (re.search(pattern["regexp"], line) for line in ended.stdout.splitlines()))
    found = {name: match[group] for name, group in pattern.items() if isinstance(group, int)}
    assert found.pop("message").startswith(AT101)
    assert found == {"file": "tests/unit/test_sum.py", "line": "4", "column": "1", "code": "AT101"}


def test_the_code_quality_of_gitlab(project: Path) -> None:
    assert run_flake8(arguments_of(GITLAB), project).returncode == 0
    (report,) = re.findall(r"codequality: (\S+)", GITLAB)
    (found,) = json.loads((project / report).read_text(encoding="utf-8"))
    assert found["description"].startswith(AT101)
    assert "AT101" in found["description"]
    assert found["location"]["path"] == "tests/unit/test_sum.py"
    assert found["location"]["lines"]["begin"] == 4
    assert found["fingerprint"]
    assert found["severity"] in {"info", "minor", "major", "critical", "blocker"}


# -- SARIF ------------------------------------------------------------------------------------------------------------


def assert_that_sarif_is_right(text: str, project: Path) -> None:
    (run,) = json.loads(text)["runs"]
    (found,) = run["results"]
    (location,) = (each["physicalLocation"] for each in found["locations"])
    assert found["ruleId"].removeprefix("flake8/") == "AT101"
    assert found["ruleId"] in {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert found["message"]["text"].startswith(AT101)
    assert location["artifactLocation"]["uri"].removeprefix(f"{project.as_uri()}/") == "tests/unit/test_sum.py"
    assert (location["region"]["startLine"], location["region"]["startColumn"]) == (4, 1)


def sarif_arguments() -> list[str]:
    arguments = arguments_of(SARIF)
    assert arguments[-2] == ">"
    assert f"sarif_file: {arguments[-1]}\n" in SARIF
    return arguments[:-2]


def test_sarif_by_the_maintained_formatter(project: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(STAND_IN, encoding="utf-8")
    ended = run_flake8(sarif_arguments(), project, PYTHONPATH=str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    assert_that_sarif_is_right(ended.stdout, project)


def test_that_the_maintained_formatter_needs_its_site(project: Path) -> None:
    ended = run_flake8(sarif_arguments(), project, HTTPS_PROXY=NO_SITE, https_proxy=NO_SITE)
    assert ended.returncode == 1
    assert "Traceback" in ended.stderr


def test_sarif_by_the_other_formatter(project: Path, tmp_path: Path) -> None:
    """In an environment of its own: two formatters of one name cannot be told apart."""
    python = python_with("flake8-sarif", str(repository_of_this_checkout(tmp_path)), directory=tmp_path / "venv")
    ended = run_flake8(sarif_arguments(), project, python, HTTPS_PROXY=NO_SITE, https_proxy=NO_SITE)
    assert ended.returncode == 0, ended.stderr
    assert_that_sarif_is_right(ended.stdout, project)
    assert json.loads(ended.stdout)["runs"][0]["tool"]["driver"]["version"] == "4.0.1"


def python_with(*packages: str, directory: Path) -> str:
    """The Python of a new environment that holds these packages."""
    venv.create(directory, with_pip=True)
    python = str(directory / ("Scripts" if os.name == "nt" else "bin") / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], env=environment(), check=True)
    return python
