"""AT111: an async function inside a test that nothing refers to, so that it never runs."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


# They reach every local name in ways that cannot be followed.
_REACHING_ALL = ("locals", "vars", "eval", "exec")


@rule("AT111", "nested-async-test", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    uses: dict[Scope, _Uses] = {}
    read: dict[Scope, set[str]] = {}
    for function in module.functions:
        if not function.is_async or not function.outer.is_function or function.node.decorator_list:
            continue
        # Most are used right where they are defined.
        if function.outer not in read:
            read[function.outer] = {load.id for load in function.outer.loads}
        if function.name in read[function.outer]:
            continue
        if not _stands_in_a_test(function) or not _is_meant_as_a_test(function):
            continue
        if function.outer not in uses:
            uses[function.outer] = _Uses(module, function.outer)
        if not uses[function.outer].have(function):
            yield Finding(
                function.node,
                f"nested async {function.name} never runs: nothing refers to it, and pytest does not collect what"
                " stands inside a test (await it, or move it out)",
            )


def _stands_in_a_test(function: Function) -> bool:
    enclosing = function.enclosing_function
    while enclosing is not None:
        if function.module.test_of(enclosing) is not None:
            return True
        enclosing = enclosing.enclosing_function
    return False


def _is_meant_as_a_test(function: Function) -> bool:
    if function.module.patterns.matches_function(function.name):
        return True
    return function.scope in function.module.fact(_scopes_that_fail) or any(
        isinstance(node, ast.Assert) or (isinstance(node, ast.Call) and _is_an_assertion(node))
        for node in function.scope.nodes
    )


def _scopes_that_fail(module: Module) -> set[Scope]:
    """Where a failure is told or expected in pytest's own words."""
    return {call.scope for call in module.calls("pytest.fail", "pytest.raises")}


def _is_an_assertion(call: ast.Call) -> bool:
    """`self.assertEqual(...)`, `mock.assert_awaited_once()`."""
    return isinstance(call.func, ast.Attribute) and call.func.attr.startswith("assert")


def _is_asked_of_something(name: ast.Name, scope: Scope) -> bool:
    """Whether it is `vars(config)`, which tells of no local names."""
    call = scope.parents.get(name)
    return isinstance(call, ast.Call) and call.func is name and bool(call.args)


class _Uses:
    """Where the local names of one function are used, in it and in what is nested in it."""

    def __init__(self, module: Module, outer: Scope) -> None:
        self._module = module
        self._outer = outer
        self._reading: dict[str, list[Scope]] = {}
        """The scopes in which each name is read, or declared to be one from further out."""
        self._meaning: dict[str, list[Scope]] = {}
        for scope in module.scopes_within(outer):
            names = [load.id for load in scope.loads if load.id != "vars" or not _is_asked_of_something(load, scope)]
            for name in (*names, *scope.declared):
                self._reading.setdefault(name, []).append(scope)

    def have(self, function: Function) -> bool:
        """Whether anything but a function itself refers to it."""
        own = set(self._module.scopes_within(function.scope))
        if any(not own.issuperset(self._reading.get(name, ())) for name in _REACHING_ALL):
            return True
        return not own.issuperset(self._scopes_that_mean(function.name))

    def _scopes_that_mean(self, name: str) -> list[Scope]:
        """Where a name is the one that the function binds. Declared, it is bound elsewhere, and may be that one."""
        found = self._meaning.get(name)
        if found is None:
            found = self._meaning[name] = [
                scope
                for scope in self._reading.get(name, ())
                if self._module.names.binding_scope(name, scope) is self._outer or name in scope.declared
            ]
        return found
