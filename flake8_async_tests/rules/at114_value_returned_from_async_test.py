"""AT114: a test returns what it was to assert or to await."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.coroutines import coroutine_function_called
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.runner import runner_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


@rule("AT114", "value-returned-from-async-test", knows=Knows.PROJECT)
def check(module: Module) -> Iterator[Finding]:
    for node, scope in module.of_kind(ast.Return):
        test = module.test_of(module.function_at(scope))
        if node.value is None or test is None or _may_be_used(test.function):
            continue
        name = _coroutine_called(module, node.value, scope)
        if not test.is_async:
            if name:
                yield Finding(
                    node,
                    f"the coroutine of {name} is returned from a sync test, and nothing awaits it: the test fails,"
                    " and is skipped up to pytest 8.3 (make the test async and await it)",
                )
        elif runner_of(test).is_unknown:
            continue
        elif name:
            yield Finding(
                node,
                f"the coroutine of {name} is returned from an async test, and nothing awaits it: {name} never runs"
                " (await it)",
            )
        elif _is_a_verdict(node.value):
            yield Finding(
                node,
                "a value is returned from an async test, and nothing looks at it: the test passes whatever it is"
                " (assert it)",
            )


def _may_be_used(function: Function) -> bool:
    """Under a decorator that is neither pytest's nor mock's, which may do something with the value."""
    return not all(decorator.is_mark or decorator.is_patch for decorator in function.decorators)


def _coroutine_called(module: Module, node: ast.expr, scope: Scope) -> str:
    return coroutine_function_called(module.call_at(node, scope)) if isinstance(node, ast.Call) else ""


def _is_a_verdict(node: ast.expr) -> bool:
    """A constant, a comparison or a boolean operation: what a test returns instead of asserting it."""
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not) or isinstance(node.operand, ast.Constant)
    if isinstance(node, ast.Constant):
        return node.value is not None
    return isinstance(node, (ast.Compare, ast.BoolOp))
