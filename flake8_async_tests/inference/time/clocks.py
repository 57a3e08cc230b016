"""Differences of two readings of a clock."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.loops.known import is_method_of_loop, loop_calls
from flake8_async_tests.inference.places.parts import nodes_of, place_of
from flake8_async_tests.inference.values.flow import Kind, bindings_at
from flake8_async_tests.inference.values.numbers import number_of

if TYPE_CHECKING:
    from flake8_async_tests.inference.places.parts import Place
    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

CLOCKS = (
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "time.monotonic",
    "time.perf_counter",
    "time.time",
)
READING_CLOCKS = (*CLOCKS, "time")
"""What is called to read a clock, with the method of an event loop."""
_TELLING_TIME = frozenset({*CLOCKS, "time.monotonic_ns", "time.perf_counter_ns", "time.time_ns"})
# The seconds in each of a timedelta's keywords.
_UNITS = {
    "days": 86400.0,
    "hours": 3600.0,
    "microseconds": 1e-6,
    "milliseconds": 1e-3,
    "minutes": 60.0,
    "seconds": 1.0,
    "weeks": 604800.0,
}
_POSITIONS = ("days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks")
_SAME_VALUE = frozenset({"builtins.abs", "builtins.float", "builtins.round"})
# How many names and calls are followed from an assertion to the reading of the clock.
_DEPTH = 6


def coroutines_that_read_clock(module: Module) -> dict[Scope, None]:
    """The scopes of the async functions in which a clock is read, in the order of the file."""
    calls = [call for call in module.calls(*CLOCKS) if _is_in_coroutine(call)]
    calls += loop_calls(module, "time", where=_is_in_coroutine)
    return dict.fromkeys(call.scope for call in calls)


def _is_in_coroutine(call: Call) -> bool:
    return call.scope.node.__class__ is ast.AsyncFunctionDef


def reads_clock(module: Module, statement: ast.stmt, scope: Scope) -> bool:
    """Whether a statement itself asks a clock for the time."""
    calls = (module.call_at(node, scope) for node in nodes_of([statement]) if isinstance(node, ast.Call))
    return any(call.name in _TELLING_TIME or is_method_of_loop(module, call.node.func, scope, "time") for call in calls)


def elapsed_factor(module: Module, node: ast.expr, scope: Scope) -> float | None:
    """What the seconds between two readings of a clock were multiplied by, None when it is no such difference.

    1 for `time.time() - start`, 1000 for the same in milliseconds. `start - time.time()` only becomes less.
    """
    return _factor(module, node, scope, _DEPTH)


def _factor(module: Module, node: ast.expr, scope: Scope, depth: int, *, is_absolute: bool = False) -> float | None:
    if not depth:
        return None
    if isinstance(node, ast.BinOp):
        if isinstance(node.op, ast.Sub):
            return 1.0 if _is_difference(module, node, scope, depth, is_absolute=is_absolute) else None
        return _of_product(module, node, scope, depth)
    if isinstance(node, ast.NamedExpr):
        values = [(node.value, scope)]
    elif isinstance(node, ast.Call):
        inner = _same_value(module, node, scope)
        values = [(inner, scope)] if inner is not None else []
        is_absolute = is_absolute or module.qualified(node.func, scope) == "builtins.abs"
    else:
        values = _assigned(module, node, scope)
    factors = {_factor(module, value, inner, depth - 1, is_absolute=is_absolute) for value, inner in values}
    return factors.pop() if len(factors) == 1 else None


def _is_difference(module: Module, node: ast.BinOp, scope: Scope, depth: int, *, is_absolute: bool) -> bool:
    """Whether it is how much later one reading was than another."""
    later, earlier = _readings(module, node.left, scope, depth), _readings(module, node.right, scope, depth)
    if not later or not earlier:
        return False
    return is_absolute or max(later) > min(earlier)


def _of_product(module: Module, node: ast.BinOp, scope: Scope, depth: int) -> float | None:
    factor = _factor(module, node.left, scope, depth - 1)
    number = number_of(node.right)
    if factor is None and isinstance(node.op, ast.Mult):
        factor, number = _factor(module, node.right, scope, depth - 1), number_of(node.left)
    if factor is None or not number:
        return None
    if isinstance(node.op, ast.Mult):
        return factor * number
    return factor / number if isinstance(node.op, ast.Div) else None


def _same_value(module: Module, call: ast.Call, scope: Scope) -> ast.expr | None:
    """What a call only gives back in another form: `round(x, 2)`, `x.total_seconds()`."""
    if isinstance(call.func, ast.Attribute) and call.func.attr == "total_seconds" and not call.args:
        return call.func.value
    if call.args and module.qualified(call.func, scope) in _SAME_VALUE:
        return call.args[0]
    return None


def _readings(module: Module, node: ast.expr, scope: Scope, depth: int) -> list[Place]:
    """Where a clock was read for what an expression gives; nothing when it may give something else."""
    if isinstance(node, ast.NamedExpr):
        node = node.value
    if isinstance(node, ast.Call):
        return [place_of(node)] if _reads(module, node, scope) else []
    assigned = _assigned(module, node, scope) if depth else []
    readings = [_readings(module, value, inner, depth - 1) for value, inner in assigned]
    return [place for places in readings for place in places] if all(readings) else []


def _reads(module: Module, call: ast.Call, scope: Scope) -> bool:
    return module.qualified(call.func, scope) in CLOCKS or is_method_of_loop(module, call.func, scope, "time")


def _assigned(module: Module, node: ast.expr, scope: Scope) -> list[tuple[ast.expr, Scope]]:
    """All that a name or path may have been assigned; nothing when some of it cannot be told."""
    bindings = bindings_at(module, node, scope)
    found = [(binding.value, binding.scope) for binding in bindings if binding.kind is Kind.ASSIGNED]
    values = [(value, inner) for value, inner in found if value is not None]
    return values if len(values) == len(bindings) else []


def seconds_written(module: Module, node: ast.expr, scope: Scope) -> float | None:
    """The seconds that a literal says: a number, or a `timedelta` of numbers."""
    if isinstance(node, ast.Call):
        if module.qualified(node.func, scope) != "datetime.timedelta":
            return None
        given = [(_UNITS[unit], value) for unit, value in zip(_POSITIONS, node.args, strict=False)]
        given += [(_UNITS.get(keyword.arg or "", 0.0), keyword.value) for keyword in node.keywords]
        numbers = [(unit, number_of(value)) for unit, value in given]
        known = [unit * number for unit, number in numbers if unit and number is not None]
        return sum(known) if len(known) == len(numbers) else None
    return number_of(node)
