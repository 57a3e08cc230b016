"""AT202: a test uses the function of a fixture where it means the fixture's value."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test
    from flake8_async_tests.source.walk import Scope

# What a function gives nothing to: items, something to iterate over, something to enter.
_TAKING_APART = (ast.Subscript, ast.For, ast.AsyncFor, ast.comprehension, ast.withitem)
_FIELDS = ("value", "iter", "context_expr")
_ASKING = (ast.Assert, ast.If, ast.IfExp, ast.While)


@rule("AT202", "fixture-not-requested", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    fixtures = {
        fixture.function.name: fixture
        for fixture in module.fixtures
        if fixture.is_async and fixture.function.outer is module.scope
    }
    if not fixtures:
        return
    seen: set[tuple[Test, str]] = set()
    for name, test, what in sorted(_uses(module, fixtures), key=lambda use: (use[0].lineno, use[0].col_offset)):
        if (test, name.id) not in seen:
            seen.add((test, name.id))
            fixture = fixtures[name.id]
            yield Finding(
                name,
                f"{name.id} is the function of a fixture here, not its value: {what} (let {test.function.name} take"
                f" {fixture.name} as a parameter)",
            )


def _uses(module: Module, fixtures: dict[str, Fixture]) -> Iterator[tuple[ast.Name, Test, str]]:
    for scope in module.index.scopes:
        if scope is module.scope:
            continue
        for name in scope.loads:
            fixture = fixtures.get(name.id)
            if fixture is not None and module.names.definition(name, scope) is fixture.function.node:
                test = _test_around(module, scope)
                what = _consequence(name, scope)
                if test is not None and what:
                    yield name, test, what


def _test_around(module: Module, scope: Scope | None) -> Test | None:
    while scope is not None:
        test = module.test_of(module.function_at(scope))
        if test is not None:
            return test
        scope = scope.parent
    return None


def _consequence(name: ast.Name, scope: Scope) -> str:
    """What comes of the use; "" for one that may be meant."""
    parent = scope.parents.get(name)
    if isinstance(parent, ast.Compare):
        return "it equals nothing else, and is never None"
    if isinstance(parent, ast.Await):
        return "a TypeError"
    if isinstance(parent, ast.Call):
        return "pytest refuses to have it called" if parent.func is name else ""
    if isinstance(parent, ast.Attribute):
        return "" if parent.attr.startswith("_") else "an AttributeError"
    if isinstance(parent, _TAKING_APART) and name in (getattr(parent, field, None) for field in _FIELDS):
        return "a TypeError"
    value: ast.AST = name
    while isinstance(parent, (ast.BoolOp, ast.UnaryOp)):
        value, parent = parent, scope.parents.get(parent)
    return "it is always true" if isinstance(parent, _ASKING) and parent.test is value else ""
