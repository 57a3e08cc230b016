"""Which tests of a file may get to a piece of it: to a helper, a fixture, a hook, a method of a fake.

Told by words: who speaks of a name may call what has it. Asked only where a doubt about one piece of a file must not
spread to the rest of it.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.backends import outermost_function
from flake8_async_tests.inference.places.parts import is_hook, scopes_around
from flake8_async_tests.record import record
from flake8_async_tests.source.fixtures import late_requests

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.functions import Class, Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test
    from flake8_async_tests.source.walk import Scope

_WORD = re.compile(r"\w+")

# With one of these a function still runs only where it is named.
_PLAIN_DECORATORS = (
    "builtins.classmethod",
    "builtins.property",
    "builtins.staticmethod",
    "contextlib.",
    "functools.",
    "pytest.mark.",
    "unittest.mock.patch",
)

# With more functions that may call one it would take long to tell: then all may do so.
_MOST_CALLERS = 500


def tests_reaching(module: Module, scope: Scope) -> Iterable[Test]:
    """The test that a scope belongs to, or else those that may come to run it: all of them when that cannot be told."""
    function = outermost_function(module, scope)
    test = module.test_of(function)
    if test is not None:
        return (test,)
    return module.tests if function is None else _reached_from(function).tests


def may_run_together(helper: Function, scope: Scope) -> bool:
    """Whether something in the file may come to run a helper as well as what stands in a scope."""
    function = outermost_function(helper.module, scope)
    return function is None or not _reached_from(helper).all.isdisjoint(_reached_from(function).all)


def words_of(function: Function) -> frozenset[str]:
    """The words in the text of a function and of its decorators."""
    known = function.module.fact(_words_by_function)
    if function not in known:
        known[function] = frozenset(_WORD.findall(_text_of(function.module, function.node)))
    return known[function]


def runs_at_import(module: Module, scope: Scope) -> bool:
    """Whether the code of a scope is that of the module, or of a class in it: no test is under way when it runs."""
    return all(each.is_class or each is module.scope for each in scopes_around(scope))


def is_only_spoken_of_in_functions(module: Module, name: str) -> bool:
    """Whether nothing but functions, their decorators, and classes that inherit from it make use of something."""
    return name not in module.fact(_names_spoken_of_outside)


def _names_spoken_of_outside(module: Module) -> frozenset[str]:
    within = _lines_of_functions(module)
    scopes = (scope for scope in module.index.scopes if not scope.is_function)
    return frozenset(load.id for scope in scopes for load in scope.loads if load.lineno not in within)


def _lines_of_functions(module: Module) -> set[int]:
    """The lines of functions, and of the heads of classes."""
    found: set[int] = set()
    for function in module.functions:
        if not function.is_nested:
            found.update(range(_first_line(function.node), (function.node.end_lineno or 0) + 1))
    for klass in module.classes:
        found.update(range(klass.node.lineno, klass.node.body[0].lineno))
    return found


def may_set_up(test: Test, fixture: Fixture) -> bool:
    """Whether a fixture may be set up for a test."""
    return any(_may_set_up(test, klass, fixture) for klass in test.collectors or (test.klass,))


def is_collected_through(test: Test, klass: Class) -> bool:
    """Whether a test runs in a class, in a base or in an heir of it."""
    return any(collector.is_related_to(klass) for collector in test.collectors)


@record
class _Callers:
    """What may come to run a function."""

    tests: tuple[Test, ...]
    all: frozenset[Function]
    """The function itself, and whatever may call it directly or not."""


def _reached_from(function: Function) -> _Callers:
    known = function.module.fact(_callers_by_function)
    if function not in known:
        known[function] = _find_callers(function.module, function)
    return known[function]


def _find_callers(module: Module, function: Function) -> _Callers:
    names: set[str] = set()
    seen = {function}
    todo = [function]
    while todo:
        at = todo.pop()
        if _may_be_registered(at) or not all(is_only_spoken_of_in_functions(module, name) for name in _names_of(at)):
            # What is in a table, or has another name, may be called by anybody.
            seen.update(module.functions)
            break
        seen.update(test.function for test in _tests_served(module, at))
        new = _names_of(at) - names if module.test_of(at) is None else set()
        names |= new
        for name in new:
            further = [each for each in module.fact(_speakers_by_name).get(name, ()) if each not in seen]
            seen.update(further)
            todo += further
        if len(todo) > _MOST_CALLERS:
            seen.update(module.functions)
            break
    return _Callers(tuple(module.tests_among(seen)), frozenset(seen))


def _may_be_registered(function: Function) -> bool:
    """Whether a decorator of a helper may hand it to somebody who calls it without its name: one from elsewhere."""
    module = function.module
    if module.is_fixture(function) or module.test_of(function) is not None or is_hook(module, function.scope):
        return False
    return any(each.name and not each.name.startswith(_PLAIN_DECORATORS) for each in function.decorators)


def _speakers_by_name(module: Module) -> dict[str, list[Function]]:
    """Which functions speak of each name that one gets at functions by."""
    functions = [function for function in module.functions if not function.is_nested]
    names = set().union(*map(_names_of, functions))
    found: dict[str, list[Function]] = {}
    for function in functions:
        # Its own name stands in its head.
        for name in names & words_of(function) - {function.name}:
            found.setdefault(name, []).append(function)
    return found


def _tests_served(module: Module, function: Function) -> Iterable[Test]:
    """The tests for which pytest or unittest itself calls a function."""
    fixture = module.fixture_of(function)
    if fixture is not None:
        return module.fact(_tests_by_fixture).get(fixture, ())
    if not is_hook(module, function.scope):
        return ()
    klass = function.klass
    return module.tests if klass is None else [test for test in module.tests if is_collected_through(test, klass)]


def _tests_by_fixture(module: Module) -> dict[Fixture, list[Test]]:
    """The tests for which each fixture of a file is set up, as far as that can be told."""
    found: dict[Fixture, list[Test]] = {}
    for test in module.tests:
        for klass in test.collectors or (test.klass,):
            for fixture in module.fixture_graph.closure(klass, test.requests, test.parametrized).fixtures:
                found.setdefault(fixture, []).append(test)
    return found


def _names_of(function: Function) -> set[str]:
    """By what one gets at a function: its name, that of the fixture, or that of the class that one makes one of."""
    fixture, klass = function.module.fixture_of(function), function.klass
    if fixture is not None:
        return {function.name, fixture.name}
    return {function.name} if klass is None or klass.may_be_collected else {each.name for each in klass.family}


def _may_set_up(test: Test, klass: Class | None, fixture: Fixture) -> bool:
    closure = test.module.fixture_graph.closure(klass, test.requests, test.parametrized)
    if fixture in closure.fixtures or not closure.complete:
        return True
    return any(map(_may_ask_for_more, (test.function, *(each.function for each in closure.fixtures))))


def _may_ask_for_more(function: Function) -> bool:
    """Whether a function asks for fixtures while it runs, or lets something else do so."""
    if "request" not in function.parameters:
        return False
    return bool(late_requests(function)) or any(
        isinstance(argument, ast.Name) and argument.id == "request"
        for call in function.scope.of(ast.Call)
        if isinstance(call, ast.Call)
        for argument in call.args
    )


def _text_of(module: Module, node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return "\n".join(module.fact(_lines)[_first_line(node) - 1 : node.end_lineno])


def _first_line(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _lines(module: Module) -> list[str]:
    return module.text.split("\n")


def _words_by_function(_: Module) -> dict[Function, frozenset[str]]:  # filled function by function
    return {}


def _callers_by_function(_: Module) -> dict[Function, _Callers]:  # filled function by function
    return {}
