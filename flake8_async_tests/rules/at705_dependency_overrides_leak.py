"""AT705: dependencies of an app that all tests share are overridden, and not surely taken back."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.parts import clears_up, place_of
from flake8_async_tests.inference.replacing.overrides import (
    OVERRIDES,
    Override,
    TakenBack,
    as_shared,
    function_behind,
    is_of_module,
    means_another,
    name_of_key,
    overrides_in,
    restores_by_itself,
    taken_back_in,
    takes_back,
)
from flake8_async_tests.inference.values.bindings import path_of
from flake8_async_tests.inference.values.literals import text_of
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.fixtures import late_requests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.functions import Class, Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test
    from flake8_async_tests.source.walk import Scope

# Functions of a class, a module and a conftest that run around each test, or around all of them.
CLASS_HOOKS = (
    "asyncSetUp",
    "asyncTearDown",
    "setUp",
    "setUpClass",
    "setup_class",
    "setup_method",
    "tearDown",
    "tearDownClass",
    "teardown_class",
    "teardown_method",
)
MODULE_HOOKS = (
    "setUpModule",
    "setup_function",
    "setup_module",
    "tearDownModule",
    "teardown_function",
    "teardown_module",
)
CONFTEST_HOOKS = (
    "pytest_runtest_call",
    "pytest_runtest_logfinish",
    "pytest_runtest_protocol",
    "pytest_runtest_setup",
    "pytest_runtest_teardown",
)


@rule("AT705", "dependency-overrides-leak", knows=Knows.PROJECT)
def check(module: Module) -> Iterator[Finding]:
    if OVERRIDES not in module.text:
        return
    for override in overrides_in(module):
        function = module.function_at(override.scope)
        if function is None or not _is_shared(module, override.app, override.scope):
            continue
        test, fixture = module.test_of(function), module.fixture_of(function)
        if test is None and fixture is None:
            continue
        if _is_undone_within(module, override, function) or _is_undone_by_hook(module, function):
            continue
        key = name_of_key(module, override.key, override.scope)
        if test is not None and _is_undone_around_test(test, key):
            continue
        if fixture is not None and _is_undone_around_fixture(fixture, key):
            continue
        yield Finding(
            override.node,
            f"{path_of(override.app) or 'app'}.{OVERRIDES} {_because(module, override)} the tests after it get the"
            " override, too (set it in a fixture, and clear it after the yield)",
        )


def _is_shared(module: Module, app: ast.expr, scope: Scope) -> bool:
    """Whether the app is an imported or a module-level one."""
    app, scope = as_shared(module, app, scope)
    return bool(module.qualified(app, scope)) or is_of_module(module, app, scope)


def _is_undone_within(module: Module, override: Override, function: Function) -> bool:
    if clears_up(module, override.node, override.scope):
        # What is set there puts back what was there before.
        return True
    if any(_counts(module, taken_back, override) for taken_back in _taken_back_within(module, function)):
        return True
    calls = [call for call in override.scope.of(ast.Call) if isinstance(call, ast.Call)]
    decorators = [decorator.call for decorator in function.decorators if decorator.call is not None]
    if any(restores_by_itself(module, call, override.scope) for call in (*calls, *decorators)):
        return True
    return any(_undoes(module, call, override) for call in calls)


def _taken_back_within(module: Module, function: Function) -> Iterator[TakenBack]:
    for scope in module.scopes_within(function.scope):
        yield from taken_back_in(module, scope)


def _counts(module: Module, taken_back: TakenBack, override: Override) -> bool:
    """Whether it takes the override back whatever happens in between."""
    if means_another(module, taken_back, override):
        return False
    if taken_back.is_callback or taken_back.scope is not override.scope:
        return True
    return _comes_surely_after(module, taken_back.node, override)


def _comes_surely_after(module: Module, node: ast.AST, override: Override) -> bool:
    return clears_up(module, node, override.scope) and place_of(node) > place_of(override.node)


def _undoes(module: Module, call: ast.Call, override: Override) -> bool:
    """Whether a function of the project that takes overrides back is called in time, or handed over."""
    is_entered = isinstance(override.scope.parents[call], ast.withitem)
    functions = [function_behind(module, argument, override.scope) for argument in call.args]
    if is_entered or _comes_surely_after(module, call, override):
        functions.append(function_behind(module, call.func, override.scope))
    if is_entered:
        functions += _exits_of(module, call, override.scope)
    return any(function is not None and takes_back(function) for function in functions)


def _exits_of(module: Module, call: ast.Call, scope: Scope) -> Iterator[Function | None]:
    """What runs at the end of a block that enters a new instance of a class of this file."""
    definition = module.names.definition(call.func, scope)
    klass = module.class_of_node(definition) if isinstance(definition, ast.ClassDef) else None
    if klass is not None:
        yield from map(klass.find_method, ("__exit__", "__aexit__"))


def _is_undone_by_hook(module: Module, function: Function) -> bool:
    if function.klass is not None and any(_base_may_undo(klass) for klass in function.klass.family):
        return True
    return any(takes_back(hook) for hook in _hooks_around(module, function))


def _base_may_undo(klass: Class) -> bool:
    """Whether a class inherits from one of another file of the project that speaks of overrides."""
    project = klass.module.project
    return any(
        located is not None and OVERRIDES.encode() in (project.files.read(located[0]) or b"")
        for each in klass.lineage
        for base in each.foreign_bases
        for _, _, located in project.outlines.along_imports(base, klass.module.directory)
    )


def _hooks_around(module: Module, function: Function) -> Iterator[Function]:
    for other in module.functions_in(module.scope):
        if other.name in MODULE_HOOKS:
            yield other
    if function.klass is not None:
        for klass in (function.klass, *function.klass.subclasses):
            for name in CLASS_HOOKS:
                hook = klass.find_method(name)
                if hook is not None:
                    yield hook
    for conftest in module.project.conftests(module.directory).modules:
        for other in conftest.functions_in(conftest.scope):
            if other.name in CONFTEST_HOOKS:
                yield other


def _is_undone_around_test(test: Test, key: str) -> bool:
    graph = test.module.fixture_graph
    fixtures = set(graph.closure_of(test).fixtures)
    for name in _asked_for_by_call(test):
        fixtures |= graph.all_behind(name, test.klass)
    return any(takes_back(fixture.function, key) for fixture in fixtures)


def _asked_for_by_call(test: Test) -> Iterator[str]:
    """The names in calls of `request.getfixturevalue` in the body of a test."""
    for call in late_requests(test.function):
        name = text_of(test.module, call.argument(0, "argname"), call.scope)
        if name:
            yield name


def _is_undone_around_fixture(fixture: Fixture, key: str) -> bool:
    graph = fixture.module.fixture_graph
    around = {*graph.closure_of_fixture(fixture).fixtures, *graph.closure(fixture.klass, ()).fixtures} - {fixture}
    if any(takes_back(other.function, key) for other in around):
        return True
    # Where every test in sight that gets it also gets a fixture that clears, the two are a pair.
    closures = [graph.closure_of(test).fixtures for test in fixture.module.tests]
    users = [set(fixtures) - {fixture} for fixtures in closures if fixture in fixtures]
    return bool(users) and all(any(takes_back(other.function, key) for other in others) for others in users)


def _because(module: Module, override: Override) -> str:
    for taken_back in taken_back_in(module, override.scope):
        if place_of(taken_back.node) > place_of(override.node) and not means_another(module, taken_back, override):
            return "is cleared only when all goes well: after a failure"
    return "is never cleared:"
