"""AT201: an async fixture that nobody awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.edits import replace, safe, spell
from flake8_async_tests.requesters import (
    ANYIO_WORDS,
    is_asked_for_by_asyncio_tests,
    is_pytest_asyncio_at_work,
    requesting_tests_anywhere,
    who_awaits_for_requesters,
)
from flake8_async_tests.rule import Finding, Fix, Knows, rule
from flake8_async_tests.runner import Runs, asyncio_mode, doubt_about_fixtures, runner_of, unknown_means

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.module import Module

# These await the fixtures of the tests that they run, or may do so.
_OTHERS = frozenset({Runs.ANYIO, Runs.TRIO, Runs.OPTION, Runs.UNKNOWN})


@rule("AT201", "async-fixture-in-strict-mode", knows=Knows.PROJECT, fix="safe")
def check(module: Module) -> Iterator[Finding]:
    found = [fixture for fixture in module.fixtures if fixture.is_async and fixture.library == "pytest"]
    if not found or not _is_strict(module) or doubt_about_fixtures(module):
        return
    mode = asyncio_mode(module.project, module.directory)
    for fixture in found:
        if _stands_where_pytest_looks(fixture) and _is_nobodys(fixture):
            yield Finding(
                fixture.function.node,
                f"async fixture {fixture.name} is not pytest-asyncio's: asyncio_mode is strict ({mode.decided_by}), so"
                " tests get an object that nobody awaits, and since pytest 9 an error (use @pytest_asyncio.fixture)",
                _fix(fixture),
            )


def _fix(fixture: Fixture) -> Fix | None:
    module = fixture.module
    node, call = fixture.decorator.node, fixture.decorator.call
    name = spell(module, fixture.function.outer, "pytest_asyncio", "fixture", line=node.lineno)
    if name is None or (call is not None and call is not node):
        return None
    return safe(replace(call.func if call is not None else node, name.text), names=[name])


def _is_strict(module: Module) -> bool:
    config = module.project.config_for(module.directory)
    if "asyncio" in config.disabled_plugins or (config.trio_mode is not None and config.trio_mode.truth is not False):
        return False
    return asyncio_mode(module.project, module.directory).is_strict


def _stands_where_pytest_looks(fixture: Fixture) -> bool:
    return not fixture.function.outer.is_function and fixture.function.keeps_its_nature


def _is_nobodys(fixture: Fixture) -> bool:
    module = fixture.module
    if not module.is_conftest and not module.matches_python_files:
        # Others import it, and have modes of their own.
        return _is_asked_for_in_vain(fixture)
    runs = set(who_awaits_for_requesters(fixture))
    if runs & _OTHERS or _has_anyio_at_hand(fixture):
        # Somebody else's, unless pytest-asyncio runs a test that asks for it too.
        return is_asked_for_by_asyncio_tests(fixture)
    if runs:
        return True
    if unknown_means(module) is not None:
        # Whose tests no mark tells, something unknown may run; those that are marked are pytest-asyncio's.
        return is_asked_for_by_asyncio_tests(fixture)
    if not is_pytest_asyncio_at_work(module) or _is_among_tests_of_others(module):
        return False
    # Files of tests that others run come last: they have to be parsed.
    others = any(runs in _OTHERS for runs in who_awaits_for_requesters(fixture, *ANYIO_WORDS, b"mark.trio"))
    return not others or is_asked_for_by_asyncio_tests(fixture)


def _is_asked_for_in_vain(fixture: Fixture) -> bool:
    found: set[Runs] = set()
    for test, with_anyio in requesting_tests_anywhere(fixture):
        by_test = runner_of(test).runs if test.is_async else Runs.NOBODY
        found.add(Runs.ANYIO if with_anyio else by_test)
        if Runs.ASYNCIO in found:
            return True
    return found == {Runs.NOBODY}


def _has_anyio_at_hand(fixture: Fixture) -> bool:
    module = fixture.module
    mode = module.project.config_for(module.directory).anyio_mode
    if mode is not None and mode.value == "auto":
        return True
    graph = module.fixture_graph
    names = graph.closure_of_fixture(fixture).names
    return "anyio_backend" in names or graph.may_be_in_sight("anyio_backend", fixture.klass)


def _is_among_tests_of_others(module: Module) -> bool:
    """Whether all async tests around a fixture that none of them asks for are somebody else's."""
    runs = {runner_of(test).runs for test in module.async_tests}
    return bool(runs) and runs <= _OTHERS
