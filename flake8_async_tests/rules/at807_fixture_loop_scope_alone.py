"""AT807: a configured loop for the fixtures and another one for the tests."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from flake8_async_tests.loops import (
    FIRST_WITH_FIXTURE_OPTION,
    FIRST_WITH_TEST_OPTION,
    given_loop_scope,
    is_run_by_asyncio,
)
from flake8_async_tests.project.problems import (
    FIXTURE_LOOP_SCOPE,
    TEST_LOOP_SCOPE,
    about,
    configuration_of,
    is_place_for,
    loop_scope,
    told_here,
)
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.runner import Runs, runner_of
from flake8_async_tests.source.calls import has_double_star, keyword_value
from flake8_async_tests.source.fixtures import SCOPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flake8_async_tests.project.config import PytestConfig
    from flake8_async_tests.project.problems import Problem
    from flake8_async_tests.project.project import Project
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test

_MARK = "pytest.mark.asyncio"

# Run by something that has no loop scopes.
_RUN_BY_OTHERS = frozenset({Runs.ANYIO, Runs.TRIO, Runs.UNITTEST, Runs.OPTION})

# What a file says whose tests bring their loop scope with them, or have none.
_WORDS_OF_OTHER_LOOPS = (b"scope", b"TestCase", b"anyio", b"trio")
_TEST_OUTSIDE_CLASS = re.compile(rb"^async def ", re.MULTILINE)
_MOST_FILES_PARSED = 25


@rule("AT807", "fixture-loop-scope-alone", knows=Knows.PROJECT)
def check(module: Module) -> Iterator[Finding]:
    config = configuration_of(module)
    if config is not None:
        yield from told_here(module, _problems(module, config))


def _problems(module: Module, config: PytestConfig) -> Iterator[Problem]:
    setting = config.get(FIXTURE_LOOP_SCOPE)
    version = module.options.pytest_asyncio
    if setting is None or version < FIRST_WITH_FIXTURE_OPTION:
        return
    knows_test_option = version >= FIRST_WITH_TEST_OPTION
    fixtures = loop_scope(setting, "function")
    tests = loop_scope(config.get(TEST_LOOP_SCOPE), "function") if knows_test_option else "function"
    if fixtures is None or tests is None or SCOPES.index(fixtures) <= SCOPES.index(tests):
        return
    if (
        is_place_for(setting.path, module)
        and not _tests_set_their_own(module, config)
        and not _fixtures_set_theirs(module, config, tests)
    ):
        remedy = f"set {TEST_LOOP_SCOPE} = {fixtures} too"
        if not knows_test_option:
            remedy = f'give the tests marks with loop_scope="{fixtures}"'
        yield about(
            setting,
            f"is {fixtures} while the tests' loop scope is {tests}: fixtures and tests run on different loops"
            f" ({remedy})",
        )


def _tests_set_their_own(module: Module, config: PytestConfig) -> bool:
    """Whether every async test in sight brings its loop scope with it; False where there is no such test."""
    found = False
    for test in _async_tests(module, config):
        if not _may_set_its_own(test):
            return False
        found = True
    return found


def _fixtures_set_theirs(module: Module, config: PytestConfig, wanted: str) -> bool:
    """Whether every async fixture in sight says that it runs on the tests' loops; False where there is none."""
    project = module.project
    speaking = _those_that_say(project, project.places.files_of_tests(config.rootdir), b"fixture", b"async def")
    # Most say nothing of it, so that none has to be parsed.
    if not any(b"loop_scope" in content for _, content in speaking):
        return False
    found = False
    for path, _ in speaking:
        other = project.read_module(path)
        for fixture in other.fixtures if other is not None else ():
            if fixture.is_async and is_run_by_asyncio(fixture, fixture.module):
                if given_loop_scope(fixture) not in (wanted, None):
                    return False
                found = True
    return found


def _async_tests(module: Module, config: PytestConfig) -> Iterator[Test]:
    """The async tests of the files that the configuration is for. Those of a file that cannot be read are left out.

    Those come first that are likeliest to hold a test without a loop scope of its own, and where so many agree, the
    others are not parsed: that would cost as much as all else together.
    """
    project = module.project
    asynchronous = _those_that_say(project, project.places.collected_files(config.rootdir), b"async def")
    asynchronous.sort(key=lambda each: _may_bring_loop_scopes(each[1]))
    for path, _ in asynchronous[:_MOST_FILES_PARSED]:
        other = project.read_module(path)
        if other is not None:
            yield from other.async_tests


def _those_that_say(project: Project, paths: Iterable[str], *words: bytes) -> list[tuple[str, bytes]]:
    """The files whose text holds all of some words, with that text."""
    contents = ((path, project.files.read(path)) for path in paths)
    return [(path, content) for path, content in contents if content and all(word in content for word in words)]


def _may_bring_loop_scopes(content: bytes) -> bool:
    """Whether all tests of a file may bring their loop scope with them, or have none, told by its text."""
    return any(word in content for word in _WORDS_OF_OTHER_LOOPS) or _TEST_OUTSIDE_CLASS.search(content) is None


def _may_set_its_own(test: Test) -> bool:
    runner = runner_of(test)
    if runner.is_unknown or runner.runs in _RUN_BY_OTHERS:
        return True
    mark = next(iter(test.marks.named("asyncio")), None)
    if mark is not None and mark.call is not None and _gives_loop_scope(mark.call):
        return True
    return not test.marks.complete or _has_hook(test.module)


def _gives_loop_scope(mark: ast.Call) -> bool:
    if has_double_star(mark):
        return True
    values = [keyword_value(mark, name) for name in ("loop_scope", "scope")]
    return any(value is not None and not (isinstance(value, ast.Constant) and value.value is None) for value in values)


def _has_hook(module: Module) -> bool:
    """Whether a conftest marks the tests with a loop scope, as pytest-asyncio's documentation shows."""
    conftests = module.project.conftests(module.directory)
    return not conftests.complete or any(
        conftest.method_calls("add_marker") and any(_gives_loop_scope(call.node) for call in conftest.calls(_MARK))
        for conftest in conftests.modules
    )
