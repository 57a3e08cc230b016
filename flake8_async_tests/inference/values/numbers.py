"""Numbers that are written down: literals, and sums and products of them."""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# How deep sums and products within each other are read.
_DEPTH = 8

_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def number_of(node: ast.expr | None, depth: int = _DEPTH) -> float | None:
    """The number that an expression is by what is written in it alone, None when it is anything else."""
    if isinstance(node, ast.Constant):
        return _number(node.value)
    if not depth:
        return None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        operand = number_of(node.operand, depth - 1)
        return -operand if operand is not None else None
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = number_of(node.left, depth - 1), number_of(node.right, depth - 1)
        return _result(_OPERATORS[type(node.op)], left, right)
    return None


def in_seconds(number: float) -> str:
    """A time as a message says it."""
    return f"{number:g} second{'' if number == 1 else 's'}"


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        # Longer than any float.
        return None


def _result(operation: Callable[[float, float], float], left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return None
    try:
        return operation(left, right)
    except (ArithmeticError, ValueError):
        return None
