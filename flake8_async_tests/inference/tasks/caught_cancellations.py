"""What becomes of a cancellation that is caught inside of a loop."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.exceptions import exceptions_caught
from flake8_async_tests.inference.places.parts import nodes_of
from flake8_async_tests.inference.places.suspension import suspends
from flake8_async_tests.inference.tasks.callbacks import function_named
from flake8_async_tests.inference.uses.handover import captures, loads_of
from flake8_async_tests.inference.values.bindings import path_of
from flake8_async_tests.inference.values.flow import leaves
from flake8_async_tests.inference.values.receivers import class_of_first_parameter
from flake8_async_tests.source.calls import keyword_value
from flake8_async_tests.source.module import is_within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flake8_async_tests.source.functions import Class
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_CATCHING = frozenset({"asyncio.CancelledError", "builtins.BaseException"})
_LEAVING = (ast.Break, ast.Raise, ast.Return)
_ORDERED = (ast.Gt, ast.GtE, ast.Lt, ast.LtE)


def catching_handler(module: Module, node: ast.Try | ast.TryStar, scope: Scope) -> ast.ExceptHandler | None:
    """The handler that gets a cancellation of what the `try` awaits, None when nothing is awaited or none gets it."""
    for handler in node.handlers:
        if not exceptions_caught(module, handler, scope).isdisjoint(_CATCHING):
            return handler if any(map(_may_be_cancelled_at, nodes_of(node.body))) else None
    return None


def _may_be_cancelled_at(node: ast.AST) -> bool:
    # Where a generator yields, it is whoever asked it that is cancelled.
    return suspends(node) and not isinstance(node, ast.Yield)


def keeps_looping(
    module: Module, loop: ast.While, node: ast.Try | ast.TryStar, handler: ast.ExceptHandler, scope: Scope
) -> bool:
    """Whether nothing that follows the handler of a `try` may end the loop around it."""
    if _leaves(module, [*handler.body, *node.finalbody], scope) or _leaves_behind(node, scope):
        return False
    asked = list(nodes_of(_conditions_of(loop)))
    return not (
        _may_end(loop, node, handler, asked) or _asks_for_future(asked) or _may_be_ended_elsewhere(module, asked, scope)
    )


def _conditions_of(loop: ast.While) -> list[ast.expr]:
    """What a loop asks before it goes on: its own condition, and those of an `if` in it that leaves it."""
    inside = list(nodes_of(loop.body))
    inner = _breaks_of_loops(inside)
    return [
        loop.test,
        *(
            node.test
            for node in inside
            if isinstance(node, ast.If)
            and any(isinstance(part, _LEAVING) and part not in inner for part in nodes_of([*node.body, *node.orelse]))
        ),
    ]


def _breaks_of_loops(nodes: Sequence[ast.AST]) -> set[ast.AST]:
    """The `break`s that leave no more than one of the loops among some nodes."""
    return {
        part
        for loop in nodes
        if isinstance(loop, (ast.While, ast.For, ast.AsyncFor))
        for part in nodes_of(loop.body)
        if isinstance(part, ast.Break)
    }


def _asks_for_future(asked: Sequence[ast.AST]) -> bool:
    """Whether a future or task ends the loop when it is done, as in `while not task.done()`."""
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "done"
        for node in asked
    )


def _may_be_ended_elsewhere(module: Module, asked: Sequence[ast.AST], scope: Scope) -> bool:
    """Whether the loop asks for something that other code changes: `release.set()`, `worker.running = False`."""
    return any(_is_changed_elsewhere(module, part.id, scope) for part in asked if isinstance(part, ast.Name)) or any(
        changer is not scope and _may_be_the_same(module, part, scope, attribute, changer)
        for part in asked
        if isinstance(part, ast.Attribute)
        for attribute, changer in module.fact(_changes).get(part.attr, ())
    )


def _is_changed_elsewhere(module: Module, name: str, scope: Scope) -> bool:
    """Whether a name that the loop has from around it is given something else there, or what it holds is changed."""
    owner = module.names.binding_scope(name, scope)
    if owner is None:
        return False
    if owner is scope:
        return any(
            _is_told(module, given.id, caller)
            for given, where in _given_by_callers(module, name, scope)
            if (caller := module.names.binding_scope(given.id, where)) is not None
        )
    if len(owner.bindings[name]) > 1 or any(name in each.declared for each in module.index.scopes if each is not scope):
        return True
    return _is_told(module, name, owner, but_by=scope)


def _is_told(module: Module, name: str, owner: Scope, *, but_by: Scope | None = None) -> bool:
    """Whether what a name holds is told to change itself, in its scope or by what is nested there."""
    uses = [(load, owner) for load in loads_of(module, name, owner)]
    uses += [(load, inner) for load, inner in captures(module, name, owner) if inner is not but_by]
    return any(_is_changed(load, inner) for load, inner in uses)


def _given_by_callers(module: Module, parameter: str, scope: Scope) -> Iterator[tuple[ast.Name, Scope]]:
    """The names of what a function is called with for one of its parameters, where it is called by its name."""
    function = module.function_at(scope)
    if function is None or parameter not in function.parameters:
        return
    position = function.parameters.index(parameter) - (1 if function.is_method else 0)
    for call, where, _ in module.index.calls.get(function.name, ()):
        given = keyword_value(call, parameter)
        if given is None and 0 <= position < len(call.args):
            given = call.args[position]
        if isinstance(given, ast.Name):
            yield given, where


def _changes(module: Module) -> dict[str, list[tuple[ast.Attribute, Scope]]]:
    """By its last word, each attribute that is given something untrue, or whose value is told to change itself.

    What stands in `__init__` is how it begins.
    """
    found: dict[str, list[tuple[ast.Attribute, Scope]]] = {}
    for node, scope in module.index.settings:
        is_true = isinstance(node.value, ast.Constant) and bool(node.value.value)
        function = module.function_at(scope)
        if is_true or (function is not None and function.name == "__init__"):
            continue
        for target in node.targets:
            if isinstance(target, ast.Attribute):
                found.setdefault(target.attr, []).append((target, scope))
    for sites in module.index.calls.values():
        for call, scope, holder in sites:
            if isinstance(holder, ast.Expr) and isinstance(call.func, ast.Attribute):
                receiver = call.func.value
                if isinstance(receiver, ast.Attribute):
                    found.setdefault(receiver.attr, []).append((receiver, scope))
    return found


def _may_be_the_same(module: Module, one: ast.Attribute, scope: Scope, other: ast.Attribute, there: Scope) -> bool:
    """Whether an attribute of the same name may be one of the same object: not where both are of unrelated classes."""
    first = _class_of(module, one.value, scope)
    second = _class_of(module, other.value, there)
    return first is None or second is None or first.is_related_to(second)


def _class_of(module: Module, node: ast.expr, scope: Scope) -> Class | None:
    return class_of_first_parameter(module, node, scope) if isinstance(node, ast.Name) else None


def _is_changed(name: ast.Name, scope: Scope) -> bool:
    """Whether a statement calls a method of what a name holds, or sets a part of it."""
    part = scope.parents[name]
    if not isinstance(part, (ast.Attribute, ast.Subscript)):
        return False
    call = scope.parents[part]
    is_told = isinstance(call, ast.Call) and call.func is part and isinstance(scope.parents[call], ast.Expr)
    return is_told or not isinstance(part.ctx, ast.Load)


def _leaves(module: Module, statements: list[ast.stmt], scope: Scope) -> bool:
    inner = _breaks_of_loops(list(nodes_of(statements)))
    return any(
        (isinstance(node, _LEAVING) and node not in inner)
        or (isinstance(node, (ast.Assert, ast.Expr)) and leaves(module, node, scope))
        or (isinstance(node, ast.Call) and _calls_what_raises(module, node, scope))
        for node in nodes_of(statements)
    )


def _calls_what_raises(module: Module, call: ast.Call, scope: Scope) -> bool:
    """Whether a function of the file is called that raises something: what it was given, it may be."""
    function = function_named(module, call.func, scope)
    return function is not None and bool(function.scope.of(ast.Raise))


def _leaves_behind(node: ast.Try | ast.TryStar, scope: Scope) -> bool:
    """Whether a statement right behind the `try`, in its block or in one around it, leaves the loop."""
    at: ast.AST = node
    while not isinstance(at, ast.While):
        parent = scope.parents[at]
        blocks = [block for _, block in ast.iter_fields(parent) if isinstance(block, list) and at in block]
        if any(isinstance(after, _LEAVING) for block in blocks for after in block[block.index(at) + 1 :]):
            return True
        at = parent
    return False


def _may_end(
    loop: ast.While, node: ast.Try | ast.TryStar, handler: ast.ExceptHandler, condition: Sequence[ast.AST]
) -> bool:
    """Whether the loop has a condition that the handler, or what follows it, may change, or that a limit ends."""
    stored = _stored([*handler.body, *node.finalbody])
    body = [part for part in nodes_of(loop.body) if isinstance(part, (ast.expr, ast.stmt))]
    elsewhere = [part for part in body if not is_within(part, handler.body)]
    if stored & _read(elsewhere):
        # A flag that is asked further down.
        return True
    if any(suspends(part) or isinstance(part, ast.NamedExpr) or has_limit(part) for part in condition):
        return True
    asked = _read(condition)
    roots = {path.partition(".")[0] for path in _read(list(nodes_of([loop.test])))}
    if asked & stored or roots & _handled([*handler.body, *node.finalbody]):
        return True
    beside = [part for part in elsewhere if not is_within(part, node.body) and not is_within(part, node.orelse)]
    return bool(asked & (_stored_by(beside) | _receivers(beside)))


def has_limit(node: ast.AST) -> bool:
    """Whether a comparison is one with a number or a time, which some turn of the loop reaches."""
    return isinstance(node, ast.Compare) and any(isinstance(operator, _ORDERED) for operator in node.ops)


def _read(nodes: Sequence[ast.AST]) -> set[str]:
    """The names and dotted paths that are read, with those that they begin with."""
    paths = [
        path_of(node)
        for node in nodes
        if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load)
    ]
    return {path for path in paths if path}


def _stored(statements: list[ast.stmt]) -> set[str]:
    return _stored_by(list(nodes_of(statements)))


def _stored_by(nodes: Sequence[ast.AST]) -> set[str]:
    # With a part of it something is changed as a whole: `state["running"] = False`.
    paths = [
        path_of(node.value if isinstance(node, ast.Subscript) else node)
        for node in nodes
        if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load)
    ]
    return {path for path in paths if path}


def _receivers(nodes: Sequence[ast.AST]) -> set[str]:
    """The paths whose methods are called."""
    return {
        path_of(node.func.value)
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }


def _handled(statements: list[ast.stmt]) -> set[str]:
    """The names that are part of a call in any way."""
    return {
        part.id
        for node in nodes_of(statements)
        if isinstance(node, ast.Call)
        for part in nodes_of([node])
        if isinstance(part, ast.Name)
    }
