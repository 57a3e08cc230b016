"""The code of a file that never runs: a constant decides an `if` against it, or the test skips itself before.

Test suites that are generated for a synchronous twin of their subject hold both sides of each difference, behind a
constant of the module: `if _IS_SYNC: ... else: ...`.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

    _Place: TypeAlias = tuple[int, int]


def never_runs(module: Module, line: int, column: int) -> bool:
    """Whether what stands at a place of a file is in code that no run comes to."""
    return any(first <= (line, column) < end for first, end in module.fact(_dead_parts))


def _dead_parts(module: Module) -> list[tuple[_Place, _Place]]:
    found = [part for scope in module.index.scopes for part in _dead_parts_in(module, scope)]
    return [*found, *_parts_behind_skips(module)]


def _parts_behind_skips(module: Module) -> Iterator[tuple[_Place, _Place]]:
    """What follows `pytest.skip()` in its block, in a function: of a whole file that is skipped the rules do speak."""
    for call in module.calls("pytest.skip"):
        if not isinstance(call.holder, ast.Expr) or not call.scope.is_function:
            continue
        parent = call.scope.parents[call.holder]
        block = next(block for _, block in ast.iter_fields(parent) if isinstance(block, list) and call.holder in block)
        if block[-1] is not call.holder:
            yield _end_of(call.holder), _end_of(block[-1])


def _dead_parts_in(module: Module, scope: Scope) -> Iterator[tuple[_Place, _Place]]:
    for node in scope.of(ast.If, ast.IfExp):
        assert isinstance(node, (ast.If, ast.IfExp))
        is_true = _truth(module, node.test, scope)
        if is_true is None:
            continue
        dead = node.orelse if is_true else node.body
        block: Sequence[ast.stmt | ast.expr] = dead if isinstance(dead, list) else [dead]
        if block:
            yield (block[0].lineno, block[0].col_offset), _end_of(block[-1])


def _end_of(node: ast.stmt | ast.expr) -> _Place:
    return node.end_lineno or 0, node.end_col_offset or 0


def _truth(module: Module, test: ast.expr, scope: Scope) -> bool | None:
    """What a condition certainly comes to, None when that depends on the run."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        opposite = _truth(module, test.operand, scope)
        return None if opposite is None else not opposite
    if isinstance(test, ast.BoolOp):
        deciding = isinstance(test.op, ast.Or)
        parts = {_truth(module, part, scope) for part in test.values}
        return deciding if deciding in parts else None if None in parts else not deciding
    if module.qualified(test, scope) in ("typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING"):
        return False
    return _constant_of_the_module(module, test, scope) if isinstance(test, ast.Name) else None


def _constant_of_the_module(module: Module, name: ast.Name, scope: Scope) -> bool | None:
    owner = module.names.binding_scope(name.id, scope)
    value = module.names.assigned_value(name.id, owner) if owner is module.scope else None
    if not isinstance(value, ast.Constant) or not isinstance(value.value, bool):
        return None
    # A function can give it another value.
    if any(name.id in each.declared for each in module.index.scopes):
        return None
    return value.value
