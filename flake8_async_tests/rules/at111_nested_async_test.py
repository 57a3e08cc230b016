"""AT111: an async function inside a test that nothing refers to, so that it never runs."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module


@rule("AT111", "nested-async-test", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    for function in module.functions:
        if not function.is_async or not function.outer.is_function or function.node.decorator_list:
            continue
        if _stands_in_a_test(function) and _is_meant_as_a_test(function) and not _is_referred_to(function):
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
    return function.module.patterns.matches_function(function.name) or bool(function.scope.of(ast.Assert))


def _is_referred_to(function: Function) -> bool:
    module = function.module
    own = set(module.scopes_within(function.scope))
    for scope in module.scopes_within(function.outer):
        if scope in own:
            continue
        # `locals()` and a `nonlocal` or `global` name reach it in ways that cannot be followed.
        if any(name.id in (function.name, "locals", "vars", "eval", "exec") for name in scope.loads):
            return True
        bindings = scope.bindings.get(function.name, ())
        if any(isinstance(binding, (ast.Global, ast.Nonlocal)) for binding in bindings):
            return True
    return False
