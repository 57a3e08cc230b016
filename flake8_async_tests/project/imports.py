"""Where the modules that a file imports stand in the project."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flake8_async_tests.project.files import Files


def package_root(files: Files, directory: str) -> str:
    """The first folder upwards that is no package: what pytest puts on `sys.path` for a file in `directory`."""
    while files.has(os.path.join(directory, "__init__.py")):
        parent = os.path.dirname(directory)
        if parent == directory:
            break
        directory = parent
    return directory


def find_module(files: Files, name: str, roots: Iterable[str]) -> str | None:
    """The file of an absolutely named module under the first of the roots that has it."""
    parts = name.split(".")
    for root in roots:
        found = _under(files, root, parts)
        if found is not None:
            return found
    return None


def find_relative_module(files: Files, name: str, directory: str) -> str | None:
    """The file of `..name`, as seen from a file in `directory`."""
    stripped = name.lstrip(".")
    for _ in range(len(name) - len(stripped) - 1):
        directory = os.path.dirname(directory)
    return _under(files, directory, stripped.split(".") if stripped else [])


def absolute_name(files: Files, name: str, directory: str) -> str:
    """`..name` by its packages' names, as seen from a file in `directory`."""
    stripped = name.lstrip(".")
    for _ in range(len(name) - len(stripped) - 1):
        directory = os.path.dirname(directory)
    package = os.path.relpath(directory, package_root(files, directory))
    return stripped if package == os.curdir else ".".join([*package.split(os.sep), stripped])


def _under(files: Files, root: str, parts: list[str]) -> str | None:
    *packages, last = parts or [""]
    directory = root
    for package in packages:
        if not files.holds(directory, package):
            return None
        directory = os.path.join(directory, package)
    if last:
        if files.holds(directory, last):
            folder = os.path.join(directory, last)
            if files.holds(folder, "__init__.py"):
                return os.path.join(folder, "__init__.py")
        module_file = f"{last}.py"
        return os.path.join(directory, module_file) if files.holds(directory, module_file) else None
    return os.path.join(directory, "__init__.py") if files.holds(directory, "__init__.py") else None
