"""Handlers that do nothing about what they catch."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.uses.handover import is_log_call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


def does_nothing(module: Module, body: Sequence[ast.stmt], scope: Scope) -> bool:
    """Whether a block is only `pass`, `...`, a bare `return`, or calls that log or print."""
    return all(_is_idle(module, statement, scope) for statement in body)


def _is_idle(module: Module, statement: ast.stmt, scope: Scope) -> bool:
    if isinstance(statement, ast.Pass):
        return True
    if isinstance(statement, ast.Return):
        return statement.value is None or _is_none(statement.value)
    if not isinstance(statement, ast.Expr):
        return False
    value = statement.value
    if isinstance(value, ast.Call):
        return module.qualified(value.func, scope) == "builtins.print" or is_log_call(module, value, scope)
    return isinstance(value, ast.Constant)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
