"""What pytest takes for a test file, class or function."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fnmatch import fnmatch

_GLOB = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Patterns:
    """`python_files`, `python_classes` and `python_functions` of one configuration."""

    files: tuple[str, ...] = ("test_*.py", "*_test.py")
    classes: tuple[str, ...] = ("Test",)
    functions: tuple[str, ...] = ("test",)

    def matches_file(self, path: str) -> bool:
        name = os.path.basename(path)
        return any(
            # A pattern with a folder in it is held against the end of the path, as pytest does.
            fnmatch(path, f"*{os.sep}{pattern}") if os.sep in pattern else fnmatch(name, pattern)
            for pattern in self.files
        )

    def matches_class(self, name: str) -> bool:
        return _matches(name, self.classes)

    def matches_function(self, name: str) -> bool:
        return _matches(name, self.functions)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    """A pattern is a prefix or, with a wildcard in it, a glob."""
    return any(
        name.startswith(pattern) or (not _GLOB.isdisjoint(pattern) and fnmatch(name, pattern)) for pattern in patterns
    )
