"""AT603: a test asserts that something took no longer than so many seconds."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.loops.known import loop_calls
from flake8_async_tests.inference.places.assertions import is_unittest_assertion, required_parts
from flake8_async_tests.inference.places.parts import is_test_itself
from flake8_async_tests.inference.replacing.replaced import (
    function_may_be_replaced,
    name_may_be_replaced,
    path_may_be_replaced,
)
from flake8_async_tests.inference.time.clocks import (
    CLOCKS,
    READING_CLOCKS,
    coroutines_that_read_clock,
    elapsed_factor,
    seconds_written,
)
from flake8_async_tests.inference.time.frozen import is_clock_controlled
from flake8_async_tests.inference.values.numbers import in_seconds
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_LESS = (ast.Lt, ast.LtE)
_MORE = (ast.Gt, ast.GtE)
# By these names one gets at a clock.
_HANDLES = (*CLOCKS, "datetime.datetime")


@rule("AT603", "wall-clock-assertion", knows=Knows.FILE, calls=READING_CLOCKS)
def check(module: Module) -> Iterator[Finding]:
    for scope in coroutines_that_read_clock(module):
        if not is_test_itself(module, scope):
            continue
        found = [
            (node, min(bounds))
            for node, pairs in _comparisons(module, scope)
            if (bounds := _bounds(module, pairs, scope))
        ]
        tight = [(node, bound) for node, bound in found if bound < module.options.max_elapsed]
        if not tight or _is_clock_faked(module, scope):
            continue
        for node, bound in tight:
            yield Finding(
                node,
                f"the time that passed must stay below {in_seconds(bound)}: that fails on a busy machine (assert on the"
                " order of events, or wrap it in a generous timeout)",
            )


def _comparisons(
    module: Module, scope: Scope
) -> Iterator[tuple[ast.Assert | ast.Call, list[tuple[ast.expr, ast.expr]]]]:
    """The assertions that something is smaller than something else, with the two of each."""
    for node in scope.of(ast.Assert, ast.Call):
        if isinstance(node, ast.Assert):
            yield node, [pair for part in required_parts(node.test) for pair in _ordered(part)]
        elif isinstance(node, ast.Call) and is_unittest_assertion(node, "assertLess", "assertLessEqual"):
            call = module.call_at(node, scope)
            small, large = call.argument(0, "a"), call.argument(1, "b")
            yield node, [(small, large)] if small is not None and large is not None else []


def _ordered(node: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    if not isinstance(node, ast.Compare):
        return
    operands = [node.left, *node.comparators]
    for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
        if isinstance(operator, _LESS):
            yield left, right
        elif isinstance(operator, _MORE):
            yield right, left


def _bounds(module: Module, pairs: list[tuple[ast.expr, ast.expr]], scope: Scope) -> list[float]:
    """The seconds that literal upper bounds leave to what a clock measured."""
    found = []
    for small, large in pairs:
        seconds = seconds_written(module, large, scope)
        factor = elapsed_factor(module, small, scope) if seconds is not None else None
        if seconds is not None and factor:
            found.append(seconds / factor)
    return found


def _is_clock_faked(module: Module, scope: Scope) -> bool:
    if is_clock_controlled(module, scope):
        return True
    if any(call.scope is scope and function_may_be_replaced(call) for call in loop_calls(module, "time")):
        return True
    return any(
        path_may_be_replaced(module, clock, scope)
        or any(name_may_be_replaced(module, name, scope) for name in module.names.tails_of(clock))
        for clock in _HANDLES
    )
