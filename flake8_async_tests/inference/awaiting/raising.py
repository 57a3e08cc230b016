"""The blocks and calls that wait for an exception or a warning: `pytest.raises`, `assertRaises` and their kin."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.awaiting.consumption import kinds_expected, may_be_never_awaited, unittest_method
from flake8_async_tests.record import record
from flake8_async_tests.source.names import word_of

if TYPE_CHECKING:
    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_PYTEST = frozenset({"pytest.raises", "pytest.warns"})
_UNITTEST = frozenset({"assertRaises", "assertRaisesRegex", "assertWarns", "assertWarnsRegex"})
# Where these have a pattern, the others have the callable in the form without a `with`.
_WITH_PATTERN = frozenset({"assertRaisesRegex", "assertWarnsRegex"})
_FOR_WARNINGS = frozenset({"pytest.warns", "assertWarns", "assertWarnsRegex"})


@record
class Expectation:
    """One call of these."""

    shown: str
    of_never_awaited: bool
    """Whether it may wait for the warning that a coroutine was never awaited."""
    of_type_error: bool
    """Whether it may wait for the error of a call that does not fit the signature."""


def expectation_of(module: Module, node: ast.expr, scope: Scope) -> Expectation | None:
    """What a call waits for, or None when it is no such call."""
    if not isinstance(node, ast.Call):
        return None
    name = module.qualified(node.func, scope)
    if name not in _PYTEST:
        name = unittest_method(module, node.func, scope)
        if name not in _UNITTEST:
            return None
    is_for_warnings = name in _FOR_WARNINGS
    return Expectation(
        f"{name}()",
        of_never_awaited=is_for_warnings and may_be_never_awaited(module, node, scope),
        of_type_error="builtins.TypeError" in kinds_expected(module, node, scope),
    )


def called_by(call: Call) -> ast.Call | None:
    """The call that one of these makes itself, where it is given a function."""
    node = call.node
    position = 2 if call.name not in _PYTEST and word_of(node.func) in _WITH_PATTERN else 1
    return (
        ast.Call(node.args[position], node.args[position + 1 :], node.keywords) if len(node.args) > position else None
    )


def expectation_of_block(module: Module, node: ast.With, scope: Scope) -> Expectation | None:
    """What a `with` waits for, or None."""
    for item in node.items:
        found = expectation_of(module, item.context_expr, scope)
        if found is not None:
            return found
    return None


def only_call_in(block: ast.With) -> ast.Call | None:
    """The call that a block is nothing but, as a bare statement or a single assignment."""
    statement = block.body[0] if len(block.body) == 1 else None
    if isinstance(statement, (ast.Expr, ast.Assign, ast.AnnAssign)) and isinstance(statement.value, ast.Call):
        return statement.value
    return None


def expectation_of_only(module: Module, node: ast.Call, scope: Scope) -> Expectation | None:
    """What the block waits for that is nothing but this call."""
    statement = scope.parents.get(node)
    block = scope.parents.get(statement) if statement is not None else None
    if not isinstance(block, ast.With) or only_call_in(block) is not node:
        return None
    return expectation_of_block(module, block, scope)
