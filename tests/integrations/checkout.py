"""This checkout, as whoever uses it from a repository gets it; and other people's repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parent.parent.parent

_BUILT_FROM = (
    ".pre-commit-hooks.yaml",
    "LICENSE",
    "README.md",
    "docs",
    "flake8_async_tests",
    "pyproject.toml",
)
"""What a package is built from, committed or not: neither environments nor what tools leave behind."""

_IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Nobody"), ("EMAIL", "nobody@example.org"))
}


def repository_of_this_checkout(directory: Path) -> Path:
    """A repository of its own that holds what the package is built from, uncommitted changes included."""
    repository = directory / "flake8-async-tests"
    repository.mkdir()
    for name in _BUILT_FROM:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, repository / name, ignore=shutil.ignore_patterns("__pycache__", "_build"))
        else:
            shutil.copy(source, repository / name)
    commit_all(repository)
    return repository


def repository_with(files: Mapping[str, str], directory: Path) -> Path:
    """A repository of a project with these files."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    commit_all(directory)
    return directory


def commit_all(repository: Path) -> str:
    """Commit everything; give back the commit."""
    git("init", "--quiet", repository=repository)
    git("add", "--all", repository=repository)
    git("commit", "--quiet", "--message", "Everything", repository=repository)
    return git("rev-parse", "HEAD", repository=repository).strip()


def git(*arguments: str, repository: Path) -> str:
    return subprocess.run(
        ["git", *arguments],
        cwd=repository,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def environment(**more: str) -> dict[str, str]:
    """The variables for a tool: none of git's, which would lead it to the repository that a hook runs in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | _IDENTITY | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"} | more
