"""The hooks of this repository under the real pre-commit, which builds and installs the package for them."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from flake8_async_tests import __version__
from tests.documents import texts_of
from tests.integrations.checkout import environment, git, repository_of_this_checkout, repository_with

if TYPE_CHECKING:
    from pathlib import Path

MARKED = "import pytest\n\n\n@pytest.mark.asyncio\ndef test_sum():\n    assert 1 + 1 == 2\n"
UNMARKED = "\n\nasync def test_total(total):\n    assert await total() == 4\n"
FIXED = "def test_sum():\n    assert 1 + 1 == 2\n"
SLEEPING = (
    "import asyncio\n\nimport pytest\n\n@pytest.mark.asyncio\nasync def test_wait():\n    await asyncio.sleep(0.1)\n"
)
LONG = f"NAME = {'n' * 100!r}\n"


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository that the hooks come from."""
    return repository_of_this_checkout(tmp_path_factory.mktemp("hooks"))


def pre_commit(*arguments: str, project: Path, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", *arguments, "--color=never"],
        cwd=project,
        env=environment(PRE_COMMIT_HOME=str(home)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def results(output: str) -> dict[str, str]:
    """How each hook ended, by its name."""
    return dict(re.findall(r"^(.+?)\.{3,}(Passed|Failed|\(.+\)Skipped)$", output, re.MULTILINE))


def test_that_both_hooks_can_be_tried(hooks: Path, tmp_path: Path) -> None:
    """The first one reports with this plugin alone, the second one mends what can be mended safely."""
    files = {"tests/test_sum.py": f"{MARKED}{UNMARKED}", "name.py": LONG, "notes.txt": "@pytest.mark.asyncio\n"}
    project = repository_with(files, tmp_path / "project")
    ended = pre_commit("try-repo", str(hooks), "--all-files", "--verbose", project=project, home=tmp_path / "home")
    assert ended.returncode == 1, ended.stdout
    assert results(ended.stdout) == {"flake8-async-tests": "Failed", "flake8-async-tests fix": "Failed"}
    assert re.findall(r"^\S+:\d+:\d+: \w+", ended.stdout, re.MULTILINE) == [
        "tests/test_sum.py:4:2: AT107",
        "tests/test_sum.py:9:1: AT101",
    ]
    assert "files were modified by this hook" in ended.stdout
    assert "1 finding fixed in 1 file, 1 left" in ended.stdout
    assert (project / "tests" / "test_sum.py").read_text(encoding="utf-8") == f"{FIXED}{UNMARKED}"
    assert git("status", "--short", repository=project) == " M tests/test_sum.py\n"


def test_the_configurations_of_the_documents(hooks: Path, tmp_path: Path) -> None:
    """What the page says to write, with the place of the hooks and their commit put in."""
    plain, narrowed = (
        text
        for text in texts_of("docs/pre-commit.md", "yaml .pre-commit-config.yaml")
        if "flake8-async-tests-fix" in text
    )
    files = {
        ".pre-commit-config.yaml": configuration(plain, hooks),
        ".flake8": "[flake8]\nper-file-ignores = tests/old/*: AT\n",
        "tests/test_sum.py": MARKED,
        "tests/test_wait.py": SLEEPING,
        "tests/old/test_total.py": UNMARKED,
    }
    project = repository_with(files, tmp_path / "project")

    def run() -> tuple[dict[str, str], str]:
        git("add", "--all", repository=project)
        ended = pre_commit("run", "--all-files", project=project, home=tmp_path / "home")
        return results(ended.stdout), ended.stdout

    found, output = run()
    assert found == {"flake8-async-tests fix": "Failed", "flake8-async-tests": "Passed"}, output
    assert (project / "tests" / "test_sum.py").read_text(encoding="utf-8") == FIXED
    found, output = run()
    assert found == {"flake8-async-tests fix": "Passed", "flake8-async-tests": "Passed"}, output

    (project / "tests" / "test_more.py").write_text(UNMARKED, encoding="utf-8")
    (project / ".pre-commit-config.yaml").write_text(configuration(narrowed, hooks), encoding="utf-8")
    (project / ".flake8").write_text("[flake8]\nselect = E9,F\nper-file-ignores = tests/old/*: AT\n", encoding="utf-8")
    found, output = run()
    assert found == {"flake8-async-tests fix": "Failed", "flake8-async-tests": "Failed"}, output
    assert "@pytest.mark.asyncio" in (project / "tests" / "test_more.py").read_text(encoding="utf-8")
    assert re.findall(r"^\S+:\d+:\d+: \w+", output, re.MULTILINE) == ["tests/test_wait.py:7:11: AT904"]


def configuration(shown: str, hooks: Path) -> str:
    assert f"rev: {__version__}" in shown
    commit = git("rev-parse", "HEAD", repository=hooks).strip()
    return re.sub(r"repo: \S+", f"repo: {hooks.as_posix()}", shown).replace(f"rev: {__version__}", f"rev: {commit}")
