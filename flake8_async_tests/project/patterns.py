"""What pytest takes for a test file, class or function."""

from __future__ import annotations

import os
import re
from fnmatch import translate
from functools import cache

from flake8_async_tests.record import record

_GLOB = frozenset("*?[")


@record
class Patterns:
    """`python_files`, `python_classes` and `python_functions` of one configuration."""

    files: tuple[str, ...] = ("test_*.py", "*_test.py")
    classes: tuple[str, ...] = ("Test",)
    functions: tuple[str, ...] = ("test",)

    def matches_file(self, path: str) -> bool:
        return self.matches(os.path.basename(path), path)

    def matches(self, name: str, path: str) -> bool:
        """The same for who has the name of the file already."""
        by_name, by_path = _file_matchers(self.files)
        return by_name.match(os.path.normcase(name)) is not None or (
            by_path is not None and by_path.match(os.path.normcase(path)) is not None
        )

    def matches_class(self, name: str) -> bool:
        return _matches(name, self.classes)

    def matches_function(self, name: str) -> bool:
        return _matches(name, self.functions)


@cache
def _file_matchers(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str] | None]:
    """What matches the name of a test file, and what its path: a pattern with a folder is held against its end."""
    of_names = [pattern for pattern in patterns if os.sep not in pattern]
    of_paths = [f"*{os.sep}{pattern}" for pattern in patterns if os.sep in pattern]
    return _any_of(of_names), _any_of(of_paths) if of_paths else None


def _any_of(patterns: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(translate(os.path.normcase(pattern)) for pattern in patterns) or r"(?!)")


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    """A pattern is a prefix or, with a wildcard in it, a glob."""
    if name.startswith(patterns):
        return True
    globs = _globs_among(patterns)
    return globs is not None and bool(globs.match(os.path.normcase(name)))


@cache
def _globs_among(patterns: tuple[str, ...]) -> re.Pattern[str] | None:
    globs = [pattern for pattern in patterns if not _GLOB.isdisjoint(pattern)]
    return _any_of(globs) if globs else None
