"""On which event loop fixtures and tests run, and who runs a fixture.

pytest-asyncio keeps one loop per scope and never shares one between two scopes: what runs on a module's loop
and what runs on a class's are on two loops, even where the class is all there is in the module.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.hooks import only_sorts_out
from flake8_async_tests.record import record
from flake8_async_tests.runner import asyncio_mode, shown
from flake8_async_tests.source.calls import has_double_star, keyword_value
from flake8_async_tests.source.fixtures import SCOPES

if TYPE_CHECKING:
    from flake8_async_tests.project.config import Setting
    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.functions import Class
    from flake8_async_tests.source.marks import Mark
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test

FIXTURE_OPTION = "asyncio_default_fixture_loop_scope"
TEST_OPTION = "asyncio_default_test_loop_scope"

# The value of the fixtures' option that says what the unset option does as well.
_MATCHING = "fixture-scope"

# Up to these versions there was no such option, and pytest-asyncio did not read it.
FIRST_WITH_FIXTURE_OPTION = (0, 24)
FIRST_WITH_TEST_OPTION = (0, 26)

# Up to this version it left sync functions under its own decorator to pytest.
_FIRST_WITH_SYNC_FIXTURES = (1, 1)

# In these a conftest can give tests another loop than their marks say.
_MARKING_HOOKS = (
    "pytest_collection_modifyitems",
    "pytest_generate_tests",
    "pytest_itemcollected",
    "pytest_pycollect_makeitem",
)


_TELLING_WORDS = ("asyncio", "async_test", "loop_scope", "append=")


@record
class Loop:
    """The loop of a scope; None where it cannot be known which."""

    scope: str | None
    decided_by: str = ""
    """The file and line of the configuration that decided it; "" where code did, or nothing."""


UNKNOWN = Loop(None)


def is_narrower(scope: str, other: str) -> bool:
    return SCOPES.index(scope) < SCOPES.index(other)


# -- fixtures ---------------------------------------------------------------------------------------------------------


def is_run_by_asyncio(fixture: Fixture, module: Module) -> bool:
    """Whether pytest-asyncio sets a fixture up for the tests of a module, sync ones under its own decorator too.

    Where anyio runs a test it takes over the async fixtures as well; that is not asked here.
    """
    if "asyncio" in module.project.config_for(module.directory).disabled_plugins:
        return False
    if fixture.library == "pytest_asyncio":
        return fixture.is_async or module.options.pytest_asyncio >= _FIRST_WITH_SYNC_FIXTURES
    return fixture.is_async and asyncio_mode(module.project, module.directory).is_auto


def loop_of_fixture(fixture: Fixture, module: Module) -> Loop:
    """The loop on which pytest-asyncio runs a fixture for the tests of a module."""
    given = given_loop_scope(fixture)
    if given is None:
        return UNKNOWN
    if given:
        return Loop(given if given in SCOPES else None)
    return default_loop_of_fixture(fixture, module)


def default_loop_of_fixture(fixture: Fixture, module: Module) -> Loop:
    """The same, as far as the configuration and the fixture's scope decide it."""
    own = Loop(fixture.scope)
    if module.options.pytest_asyncio < FIRST_WITH_FIXTURE_OPTION:
        return own
    setting, known = _setting(module, FIXTURE_OPTION)
    if not known:
        return UNKNOWN
    if setting is None or setting.value in ("", _MATCHING):
        return own
    return _configured(setting, module)


def given_loop_scope(fixture: Fixture) -> str | None:
    """The literal `loop_scope` of a fixture, "" when there is none, None when it cannot be known."""
    call = fixture.decorator.call
    value = keyword_value(call, "loop_scope") if call is not None else None
    if value is not None and _is_none(fixture.module.value_of(value, fixture.function.outer)):
        return ""
    return fixture.own_loop_scope


# -- tests ------------------------------------------------------------------------------------------------------------


def loop_of_test(test: Test) -> Loop:
    """The loop on which pytest-asyncio runs a test. Whether it runs it is the question of `runner_of`."""
    if _is_moved_by_hook(test.module):
        return UNKNOWN
    found = {_loop_in(test, klass) for klass in (test.collectors or (None,))}
    return found.pop() if len(found) == 1 else UNKNOWN


def _loop_in(test: Test, klass: Class | None) -> Loop:
    """The nearest place with a mark decides."""
    for marks in test.levels_of_marks(klass):
        if marks.has("asyncio"):
            return _loop_of_marks(marks.named("asyncio"), test.module)
        if not marks.complete:
            return UNKNOWN
    return default_loop_of_tests(test.module)


def default_loop_of_tests(module: Module) -> Loop:
    """The loop of the tests that have no loop scope of their own."""
    setting, known = _setting(module, TEST_OPTION)
    if not known:
        return UNKNOWN
    if setting is None or module.options.pytest_asyncio < FIRST_WITH_TEST_OPTION:
        return Loop("function")
    return _configured(setting, module)


def _loop_of_marks(marks: list[Mark], module: Module) -> Loop:
    """What several marks in one place say: nothing certain, unless they all say the same."""
    found = {_loop_of_mark(mark, module) for mark in marks}
    return found.pop() if len(found) == 1 else UNKNOWN


def _loop_of_mark(mark: Mark, module: Module) -> Loop:
    call = mark.call
    if call is None:
        return default_loop_of_tests(module)
    if has_double_star(call):
        return UNKNOWN
    for name in ("loop_scope", "scope"):
        value = keyword_value(call, name)
        if value is not None and not _is_none(value):
            return Loop(_scope_in(value, module))
    return default_loop_of_tests(module)


def _scope_in(value: ast.expr, module: Module) -> str | None:
    value = module.value_of(value, module.scope)
    if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value in SCOPES:
        return value.value
    return None


def hook_may_ask_for_mark(module: Module) -> bool:
    """Whether a hook on the way up speaks of asyncio: it may do so to find out how a test is marked."""
    chain = module.project.conftests(module.directory)
    return not chain.complete or any(each.fact(_hooks_about_asyncio) for each in (module, *chain.modules))


def _is_moved_by_hook(module: Module) -> bool:
    """Whether a hook on the way up may give the test another mark."""
    chain = module.project.conftests(module.directory)
    return not chain.complete or any(each.fact(_hooks_that_may_mark) for each in (module, *chain.modules))


def _hooks_that_may_mark(module: Module) -> list[ast.AST]:
    return [hook for hook in module.fact(_hooks_about_asyncio) if not only_sorts_out(module, hook)]


def _hooks_about_asyncio(module: Module) -> list[ast.AST]:
    hooks = (binding for name in _MARKING_HOOKS for binding in module.scope.bindings.get(name, ()))
    return [hook for hook in hooks if _speaks_of_asyncio(hook)]


def _speaks_of_asyncio(binding: ast.AST) -> bool:
    if not isinstance(binding, (ast.FunctionDef, ast.AsyncFunctionDef)):
        # Imported: who knows.
        return True
    return any(telling in _word_of(node) for node in ast.walk(binding) for telling in _TELLING_WORDS)


def _word_of(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.keyword):
        return f"{node.arg}="
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


# -- the configuration -------------------------------------------------------------------------------------------------


def _setting(module: Module, name: str) -> tuple[Setting | None, bool]:
    """An option, and whether the configuration can be read at all."""
    config = module.project.config_for(module.directory)
    return config.get(name), config.known


def _configured(setting: Setting, module: Module) -> Loop:
    if setting.fault or setting.value not in SCOPES:
        return UNKNOWN
    return Loop(setting.value, f"{shown(module.project, module.directory, setting.path)}:{setting.line}")


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None
