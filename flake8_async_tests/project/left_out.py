"""The files that pytest does not look into, though their names are those of test files."""

from __future__ import annotations

import ast
import os
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from flake8_async_tests.record import record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.project.project import Project
    from flake8_async_tests.source.module import Module


@record
class _LeftOut:
    """What is left out of a folder."""

    paths: frozenset[str]
    globs: tuple[str, ...]

    def holds(self, path: str) -> bool:
        return path in self.paths or any(fnmatch(path, glob) for glob in self.globs)


def is_left_out(project: Project, path: str) -> bool:
    """Whether `--ignore` in addopts, `norecursedirs` or a conftest's `collect_ignore` says so, of it or a folder."""
    folder = os.path.dirname(path)
    return project.fact_of_folder(folder, _left_out_of).holds(path) or project.fact_of_folder(
        folder, _is_folder_left_out
    )


def is_beside_testpaths(project: Project, path: str) -> bool:
    """Whether pytest, started without a word about where, looks for tests elsewhere alone."""
    config = project.config_for(os.path.dirname(path))
    testpaths = config.get("testpaths")
    places = testpaths.values if testpaths is not None else ()
    patterns = [os.path.normpath(os.path.join(config.rootdir, place)) for place in places]
    return bool(patterns) and not any(
        fnmatch(path, pattern) or fnmatch(path, f"{pattern}{os.sep}*") for pattern in patterns
    )


def _is_folder_left_out(project: Project, folder: str) -> bool:
    above = os.path.dirname(folder)
    if folder in (project.root_of(folder), above):
        return False
    return (
        _is_not_entered(project, folder)
        or project.fact_of_folder(above, _left_out_of).holds(folder)
        or project.fact_of_folder(above, _is_folder_left_out)
    )


def _is_not_entered(project: Project, folder: str) -> bool:
    """By a pattern of `norecursedirs`: one with a folder in it is held against the end of the path."""
    patterns = project.config_for(folder).get("norecursedirs")
    name = os.path.basename(folder)
    return patterns is not None and any(
        fnmatch(folder, f"*{os.sep}{pattern}") if os.sep in pattern else fnmatch(name, pattern)
        for pattern in patterns.values
    )


def _left_out_of(project: Project, folder: str) -> _LeftOut:
    config = project.config_for(folder)
    paths = [os.path.join(config.rootdir, path) for path in config.ignored]
    globs = [os.path.join(config.rootdir, glob) for glob in config.ignored_globs]
    conftest = _conftest_that_says(project, folder)
    if conftest is not None:
        paths += [os.path.join(conftest.directory, path) for path in _listed(conftest, "collect_ignore")]
        globs += [os.path.join(conftest.directory, glob) for glob in _listed(conftest, "collect_ignore_glob")]
    return _LeftOut(frozenset(map(os.path.normpath, paths)), tuple(globs))


def _conftest_that_says(project: Project, folder: str) -> Module | None:
    """The nearest conftest that speaks of it."""
    root = project.root_of(folder)
    while True:
        path = os.path.join(folder, "conftest.py")
        if project.files.has(path) and project.said_in(path, _speaks_of_ignoring):
            return project.module_at(path)
        above = os.path.dirname(folder)
        if folder in (root, above):
            return None
        folder = above


def _speaks_of_ignoring(content: bytes) -> bool:
    return b"collect_ignore" in content


def _listed(conftest: Module, name: str) -> Iterator[str]:
    """What a list of a conftest holds, unless it depends on something."""
    value = conftest.names.assigned_value(name, conftest.scope)
    is_unconditional = any(getattr(statement, "value", None) is value for statement in conftest.tree.body)
    if isinstance(value, (ast.List, ast.Tuple)) and is_unconditional:
        for element in value.elts:
            if isinstance(element, ast.Constant) and isinstance(element.value, str):
                yield element.value
