"""The one file in which the problems of a configuration file are told.

Each problem is told once, whatever is checked and in whatever order. So its place is found in the file system,
not among the files at hand. That takes a look through the folders below the configuration file, which only
a project with such a problem pays for, and once.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.project.project import Project

_MOST_FOLDERS = 5000
_MOST_FILES_READ = 1000

# What pytest does not look into either, and what is no part of the project.
_PASSED_OVER = frozenset({"build", "dist", "node_modules", "site-packages", "venv", "__pycache__"})
_TEST_LIBRARIES = (b"pytest", b"unittest", b"mock", b"asynctest")


class Places:
    """Finds and remembers the place for each configuration file."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._places: dict[str, str | None] = {}

    def of(self, path: str) -> str | None:
        """The shallowest conftest.py that looks at a configuration file, else the first such test file, if any."""
        folder = os.path.dirname(path)
        if folder not in self._places:
            self._places[folder] = self._shallowest_conftest(folder) or next(self.test_files(folder), None)
        return self._places[folder]

    def ground(self, directory: str) -> str:
        """The folder up to which the files of another one look for their configuration."""
        config = self._project.config_for(directory)
        if config.ground == "configuration":
            return config.rootdir
        return self._project.configs.repository_root(directory) or os.path.join(
            os.path.splitdrive(directory)[0], os.sep
        )

    def folders_up(self, directory: str) -> Iterator[str]:
        """The folders in which the files of one look for their configuration, as far as they look."""
        ground = self.ground(directory)
        while len(directory) > len(ground):
            yield directory
            directory = os.path.dirname(directory)
        yield ground

    def test_files(self, folder: str) -> Iterator[str]:
        """The test files below a folder that look for their configuration up to there or farther, in order."""
        remaining = _MOST_FILES_READ
        for path in self._files_below(folder):
            if self._is_conftest(path) or self._is_collected(path):
                yield path
            elif remaining:
                remaining -= 1
                if self._imports_test_library(path):
                    yield path

    def collected_files(self, folder: str) -> Iterator[str]:
        """Those of them in which pytest looks for tests."""
        return filter(self._is_collected, self._files_below(folder))

    def files_of_tests(self, folder: str) -> Iterator[str]:
        """Those, and each conftest."""
        return (path for path in self._files_below(folder) if self._is_conftest(path) or self._is_collected(path))

    def _files_below(self, folder: str) -> list[str]:
        return sorted(path for level in self._levels(folder) for each in level for path in self._python_files(each))

    def _is_collected(self, path: str) -> bool:
        matches = self._project.patterns_for(os.path.dirname(path)).matches_file(path)
        return matches and self._project.files.is_file(path)

    def _is_conftest(self, path: str) -> bool:
        return os.path.basename(path) == "conftest.py" and self._project.files.is_file(path)

    def _shallowest_conftest(self, folder: str) -> str | None:
        files = self._project.files
        for level in self._levels(folder):
            found = [path for each in level if files.is_file(path := os.path.join(each, "conftest.py"))]
            if found:
                return min(found)
        return None

    def _levels(self, folder: str) -> Iterator[list[str]]:
        """The folder itself, then those in it, and so on, as far as their files look up to it."""
        level = [folder]
        remaining = _MOST_FOLDERS
        while level:
            yield level[:remaining]
            remaining -= len(level)
            if remaining <= 0:
                return
            level = [each for above in level for each in self._folders_in(above) if self._looks_up_to(each, folder)]

    def _folders_in(self, folder: str) -> Iterator[str]:
        files = self._project.files
        for name in files.folders_in(folder):
            path = os.path.join(folder, name)
            if name[0] != "." and name not in _PASSED_OVER and not files.has(os.path.join(path, "pyvenv.cfg")):
                yield path

    def _looks_up_to(self, directory: str, folder: str) -> bool:
        return len(self.ground(directory)) <= len(folder)

    def _python_files(self, folder: str) -> list[str]:
        return [os.path.join(folder, name) for name in self._project.files.names_in(folder) if name.endswith(".py")]

    def _imports_test_library(self, path: str) -> bool:
        content = self._project.files.read(path)
        if content is None or not any(library in content for library in _TEST_LIBRARIES):
            return False
        module = self._project.read_module(path)
        return module is not None and module.is_test_file
