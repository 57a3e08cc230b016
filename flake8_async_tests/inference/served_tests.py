"""Which tests of a file may run what stands in one of its scopes: what is changed for others alone is not so there."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.backends import outermost_function
from flake8_async_tests.inference.places import scopes_around
from flake8_async_tests.source.fixtures import late_requests

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.functions import Class, Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test
    from flake8_async_tests.source.walk import Scope

# With one of these a function still runs only where it is named.
_PLAIN_DECORATORS = frozenset(
    {
        "builtins.classmethod",
        "builtins.property",
        "builtins.staticmethod",
        "contextlib.asynccontextmanager",
        "contextlib.contextmanager",
    }
)
# Functions of a file that are run without being named in it.
_CALLED_BY_PYTEST = ("pytest_", "setUpModule", "setup_", "tearDownModule", "teardown_")


def may_run_together(module: Module, one: Scope, other: Scope) -> bool:
    """Whether some test may run what stands in both of two scopes."""
    if _are_of_one_class(module, one, other):
        return True
    served = module.fact(ServedTests)
    first, second = served.by(one), served.by(other)
    return first is None or second is None or not first.isdisjoint(second)


def _are_of_one_class(module: Module, one: Scope, other: Scope) -> bool:
    first, second = _class_around(module, one), _class_around(module, other)
    return first is not None and second is not None and first.is_related_to(second)


def _class_around(module: Module, scope: Scope) -> Class | None:
    return next((klass for each in scopes_around(scope) if (klass := module.class_at(each)) is not None), None)


def may_set_up(test: Test, fixture: Fixture) -> bool:
    """Whether a fixture may be set up for a test, in one of the classes through which it is collected."""
    return any(_may_set_up_in(klass, test, fixture) for klass in test.collectors or (test.klass,))


def _may_set_up_in(klass: Class | None, test: Test, fixture: Fixture) -> bool:
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


class ServedTests:
    """The tests of a file that run each of its scopes."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._known: dict[Scope, frozenset[Test] | None] = {}

    def by(self, scope: Scope) -> frozenset[Test] | None:
        """The tests that may run what stands in a scope; None where that cannot be told."""
        if scope not in self._known:
            self._known[scope] = self._followed(scope) if self._module.tests else None
        return self._known[scope]

    def _followed(self, scope: Scope) -> frozenset[Test] | None:
        """From the helpers to all that names them, and on to the tests."""
        found: set[Test] = set()
        todo, seen = [scope], {scope}
        while todo:
            at = todo.pop()
            tests = self._at(at)
            if tests is not None:
                found.update(tests)
                continue
            users = self._users_of(at)
            if users is None:
                return None
            todo += [user for user in users if user not in seen]
            seen.update(users)
        return frozenset(found)

    def _at(self, scope: Scope) -> Iterable[Test] | None:
        """The tests that run a test, a fixture or a method of theirs; None for anything else."""
        function = outermost_function(self._module, scope)
        if function is None:
            # A file itself, and the body of a class in it, are run before any test.
            return None if isinstance(scope.node, ast.Lambda) else []
        test = self._module.test_of(function)
        if test is not None:
            return [test]
        fixture = self._module.fixture_of(function)
        if fixture is not None:
            return [each for each in self._module.tests if may_set_up(each, fixture)]
        klass = function.klass
        if klass is None:
            return None
        return [each for each in self._module.tests if not set(klass.family).isdisjoint(each.collectors)] or None

    def _users_of(self, scope: Scope) -> list[Scope] | None:
        """The scopes in which a helper is named, or its class; None where something else may run it."""
        outermost = list(scopes_around(scope))[-2:][0]
        function, klass = self._module.function_at(outermost), self._module.class_at(outermost)
        if function is not None:
            name, decorators = function.name, function.decorators
        elif klass is not None:
            name, decorators = klass.name, klass.decorators
            # Through what it inherits from it may be one of tests, or be called by anything.
            if klass.may_be_collected or klass.bases:
                return None
        else:
            return None
        if name.startswith(_CALLED_BY_PYTEST) or not all(each.name in _PLAIN_DECORATORS for each in decorators):
            return None
        users = self._module.fact(_scopes_by_names_read).get(name, [])
        # What a file does with it when it is read, nobody follows.
        return users if all(any(each.is_function for each in scopes_around(user)) for user in users) else None


def _scopes_by_names_read(module: Module) -> dict[str, list[Scope]]:
    found: dict[str, dict[Scope, None]] = {}
    for scope in module.index.scopes:
        for load in scope.loads:
            found.setdefault(load.id, {})[scope] = None
    return {name: list(scopes) for name, scopes in found.items()}
