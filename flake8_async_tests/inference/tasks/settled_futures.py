"""Futures that a function makes and gives their result at once: the way to have something to await before AsyncMock."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.uses.handover import is_shared, loads_of
from flake8_async_tests.record import record

if TYPE_CHECKING:
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_SET_RESULT = "set_result"


@record
class Settled:
    """A future that holds its result where it is read."""

    result: ast.expr
    made: ast.stmt
    """`future = asyncio.Future()`"""
    given: ast.stmt
    """`future.set_result(3)`"""
    is_read_once: bool
    """Whether nothing else reads the name."""


def settled_future(module: Module, node: ast.Name, scope: Scope) -> Settled | None:
    """What a name holds that is bound to a future and nothing else, and whose result is set on the way to it."""
    made = _statement_that_makes(module, node.id, scope)
    if made is None or is_shared(module, node.id, scope):
        return None
    loads = loads_of(module, node.id, scope)
    calls = [call for call in (_call_of_method(load, scope) for load in loads) if call is not None]
    settling = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == _SET_RESULT]
    if len(settling) != 1 or len(calls) != 1 or len(settling[0].args) != 1 or settling[0].keywords:
        return None
    given = scope.parents.get(settling[0])
    if not isinstance(given, ast.Expr) or scope.parents.get(given) is not scope.parents.get(made):
        return None
    result = settling[0].args[0]
    if not made.lineno < given.lineno < node.lineno or isinstance(result, ast.Starred):
        return None
    return Settled(result, made, given, len(loads) == len(calls) + 1)


def _statement_that_makes(module: Module, name: str, scope: Scope) -> ast.stmt | None:
    value = module.names.assigned_value(name, scope)
    if not isinstance(value, ast.Call) or not makes_future(module, value, scope):
        return None
    statement = scope.parents.get(value)
    return statement if isinstance(statement, ast.Assign) and len(statement.targets) == 1 else None


def makes_future(module: Module, call: ast.Call, scope: Scope) -> bool:
    """Whether a call makes a bare future, which comes to nothing until somebody sets its result."""
    if module.qualified(call.func, scope) == "asyncio.Future":
        return True
    return isinstance(call.func, ast.Attribute) and call.func.attr == "create_future"


def _call_of_method(load: ast.Name, scope: Scope) -> ast.Call | None:
    attribute = scope.parents.get(load)
    call = scope.parents.get(attribute) if isinstance(attribute, ast.Attribute) else None
    return call if isinstance(call, ast.Call) and call.func is attribute else None
