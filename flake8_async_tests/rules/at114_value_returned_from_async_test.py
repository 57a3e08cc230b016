"""AT114: a test returns what it was to assert or to await."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.coroutines.known import coroutine_function_called
from flake8_async_tests.inference.values.flow import leaves
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.runner import runner_of, unknown_means
from flake8_async_tests.source.functions import ClassKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test
    from flake8_async_tests.source.walk import Scope


@rule("AT114", "value-returned-from-async-test", knows=Knows.PROJECT)
def check(module: Module) -> Iterator[Finding]:
    for node, scope in module.of_kind(ast.Return):
        test = module.test_of(module.function_at(scope))
        if node.value is None or test is None or _may_be_used(test.function):
            continue
        name = _coroutine_called(module, node.value, scope)
        if not test.is_async:
            if name and not _may_be_awaited(test):
                yield Finding(
                    node,
                    f"the coroutine of {name} is returned from a sync test, and nothing awaits it: {_outcome(test)}",
                )
        elif runner_of(test).is_unknown:
            continue
        elif name:
            yield Finding(
                node,
                f"the coroutine of {name} is returned from an async test, and nothing awaits it: {name} never runs"
                " (await it)",
            )
        elif _is_a_verdict(node.value) and not (_may_fail(module, node.value, scope) or _is_helper(test)):
            yield Finding(
                node,
                "a value is returned from an async test, and nothing looks at it: the test passes whatever it is"
                " (assert it)",
            )


def _may_be_used(function: Function) -> bool:
    """Under a decorator that is neither pytest's nor mock's, which may do something with the value."""
    return not all(decorator.is_mark or decorator.is_patch for decorator in function.decorators)


def _may_be_awaited(test: Test) -> bool:
    """Whether something unknown, which need not look at the function as those do that are known, calls a sync test."""
    if test.klass is not None and test.klass.is_testcase:
        return False
    return runner_of(test).is_unknown or unknown_means(test.module) is not None


def _is_helper(test: Test) -> bool:
    """Whether the file itself gives it what pytest would have to have as fixtures, and looks at what it returns."""
    module = test.module
    is_asked = bool(test.requests) and test.klass is None
    return is_asked and any(
        isinstance(call.func, ast.Name)
        and bool(call.args or call.keywords)
        and module.names.binding_scope(call.func.id, scope) is module.scope
        for call, scope, _ in module.index.calls.get(test.function.name, ())
    )


def _outcome(test: Test) -> str:
    if test.kind is ClassKind.TESTCASE:
        return (
            "the test passes, with no more than a DeprecationWarning (await it in an async test of a"
            " unittest.IsolatedAsyncioTestCase)"
        )
    if test.kind is ClassKind.ISOLATED:
        return "the test passes, with no more than a DeprecationWarning (make the test async and await it)"
    return "the test fails, and is skipped up to pytest 8.3 (make the test async and await it)"


def _may_fail(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether a value decides if the test goes on to fail itself: `await holds() or pytest.fail()`."""
    return isinstance(node, ast.BoolOp) and any(leaves(module, ast.Expr(value), scope) for value in node.values[1:])


def _coroutine_called(module: Module, node: ast.expr, scope: Scope) -> str:
    return coroutine_function_called(module.call_at(node, scope)) if isinstance(node, ast.Call) else ""


def _is_a_verdict(node: ast.expr) -> bool:
    """A constant, a comparison or a boolean operation: what a test returns instead of asserting it."""
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not) or isinstance(node.operand, ast.Constant)
    if isinstance(node, ast.Constant):
        return node.value is not None
    return isinstance(node, (ast.Compare, ast.BoolOp))
