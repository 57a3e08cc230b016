"""AT202: a test uses the function of a fixture where it means the fixture's value."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.values.flow import is_rebound_elsewhere
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.functions import ClassKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test
    from flake8_async_tests.source.walk import Scope

# What a function gives nothing to: items, something to iterate over, something to enter.
_TAKING_APART = (ast.Subscript, ast.For, ast.AsyncFor, ast.comprehension, ast.withitem)
_FIELDS = ("value", "iter", "context_expr")
# What pytest itself puts into a fixture, by version.
_PYTESTS_OWN = frozenset(
    {
        "_fixture_function",
        "_fixture_function_marker",
        "_get_wrapped_function",
        "_instance",
        "_pytestfixturefunction",
    }
)
_ORDERING = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_ASKING = (ast.Assert, ast.If, ast.IfExp, ast.While)


@rule("AT202", "fixture-not-requested", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    fixtures = {
        fixture.function.name: fixture
        for fixture in module.fixtures
        if fixture.is_async
        and fixture.function.outer is module.scope
        and not is_rebound_elsewhere(module, module.scope, fixture.function.name)
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
                f"{name.id} is the function of a fixture here, not its value: {what} ({_remedy(test, fixture)})",
            )


def _remedy(test: Test, fixture: Fixture) -> str:
    if test.kind in (ClassKind.TESTCASE, ClassKind.ISOLATED):
        return f"a TestCase's methods get no fixtures: make {fixture.name} in setUp or asyncSetUp"
    return f"let {test.function.name} take {fixture.name} as a parameter"


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
        return _consequence_of_comparison(name, parent)
    if isinstance(parent, ast.Await):
        return "a TypeError"
    if isinstance(parent, ast.Call):
        return "pytest refuses to have it called" if parent.func is name else ""
    if isinstance(parent, ast.Attribute):
        is_there = parent.attr.startswith("__") or parent.attr in _PYTESTS_OWN
        return "" if is_there or _is_annotation(parent, scope) else "an AttributeError"
    if isinstance(parent, _TAKING_APART) and name in (getattr(parent, field, None) for field in _FIELDS):
        return "a TypeError"
    value: ast.AST = name
    while isinstance(parent, (ast.BoolOp, ast.UnaryOp)):
        value, parent = parent, scope.parents.get(parent)
    return "it is always true" if isinstance(parent, _ASKING) and parent.test is value else ""


def _is_annotation(node: ast.expr, scope: Scope) -> bool:
    """Whether a node is a part of the annotation of a local name, which is not evaluated."""
    value: ast.AST = node
    parent = scope.parents.get(node)
    while isinstance(parent, ast.expr):
        value, parent = parent, scope.parents.get(parent)
    return isinstance(parent, ast.AnnAssign) and parent.annotation is value


def _consequence_of_comparison(name: ast.Name, comparison: ast.Compare) -> str:
    """A function has no order, and there is nothing in it."""
    operands = [comparison.left, *comparison.comparators]
    for left, operator, right in zip(operands, comparison.ops, operands[1:], strict=False):
        if name is right and isinstance(operator, (ast.In, ast.NotIn)):
            return "a TypeError"
        if name in (left, right) and isinstance(operator, _ORDERING):
            return "a TypeError"
    return "it equals nothing else, and is never None"
