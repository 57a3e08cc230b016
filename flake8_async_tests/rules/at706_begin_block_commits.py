"""AT706: a fixture yields from within a transaction that is committed at its end."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.clients.known import Kind, kind_of
from flake8_async_tests.inference.places.parts import end_of, is_fixture_itself, place_of
from flake8_async_tests.inference.uses.handover import is_inert_call
from flake8_async_tests.inference.values.bindings import path_of
from flake8_async_tests.inference.values.elsewhere import function_meant
from flake8_async_tests.inference.values.flow import bindings_at
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.calls import receiver_of
from flake8_async_tests.source.module import is_within
from flake8_async_tests.source.names import word_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# `begin()` of these begins a transaction of their own ...
HOLDERS = frozenset({Kind.ASYNC_SESSION, Kind.ASYNC_CONNECTION})
# ... and that of these gives something new, which holds one.
MAKERS = frozenset({Kind.ASYNC_ENGINE, Kind.ASYNC_SESSIONMAKER})
BOUND = frozenset({Kind.ASYNC_SESSION, Kind.ASYNC_SESSIONMAKER})
CLOSING = ("aclose", "close", "invalidate")
# How many names are followed from what is yielded to what holds the transaction.
DEPTH = 6


@rule("AT706", "begin-block-commits", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    for node, scope in module.of_kind(ast.AsyncWith):
        for item in node.items:
            if not _begins(item.context_expr) or not is_fixture_itself(module, scope):
                continue
            yields = [given for given in scope.of(ast.Yield) if is_within(given, node.body)]
            given = [value for each in yields for value in _values(each)]
            holder = _holder(module, item, given, scope)
            is_inside = bool(holder) and any(_is_bound(module, value, holder, scope, DEPTH) for value in given)
            if is_inside and not _is_undone(module, node, {holder, _target(item)}, yields[0], scope):
                yield Finding(
                    node,
                    f"{_shown(item.context_expr)} commits when the fixture is torn down, after a failed test too,"
                    " and the rows stay for the next one (begin the transaction without a block, and roll it back after"
                    " the yield)",
                )


def _shown(node: ast.expr) -> str:
    assert isinstance(node, ast.Call)
    return f"{path_of(node.func) or 'begin'}()"


def _begins(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "begin"


def _values(given: ast.AST) -> list[ast.expr]:
    """What is yielded, each part of a tuple, list or dictionary for itself."""
    assert isinstance(given, ast.Yield)
    if given.value is None:
        return []
    if isinstance(given.value, ast.Dict):
        return given.value.values
    return given.value.elts if isinstance(given.value, (ast.Tuple, ast.List)) else [given.value]


def _holder(module: Module, item: ast.withitem, given: list[ast.expr], scope: Scope) -> str:
    """The name of the session or connection that holds the transaction, "" when that is not known."""
    assert isinstance(item.context_expr, ast.Call)
    receiver = receiver_of(item.context_expr)
    assert receiver is not None
    path = path_of(receiver)
    kind = kind_of(module, receiver, scope)
    if kind in MAKERS:
        return _target(item)
    # Whatever has a begin() and is yielded, is a session or a connection.
    is_holder = kind in HOLDERS or (kind is None and any(path_of(value) == path for value in given))
    return path if is_holder else ""


def _target(item: ast.withitem) -> str:
    return path_of(item.optional_vars) if item.optional_vars is not None else ""


def _is_bound(module: Module, node: ast.expr, holder: str, scope: Scope, depth: int) -> bool:
    """Whether an expression is the holder itself, or a session that was bound to it."""
    if not depth:
        return False
    if isinstance(node, (ast.Name, ast.Attribute)):
        if path_of(node) == holder:
            return True
        return any(
            binding.value is not None and _is_bound(module, binding.value, holder, binding.scope, depth - 1)
            for binding in bindings_at(module, node, scope)
        )
    if not isinstance(node, ast.Call):
        return False
    arguments = [keyword.value for keyword in node.keywords if keyword.arg == "bind"]
    if kind_of(module, node, scope) in BOUND:
        arguments += [*node.args[:1], node.func]
    return any(_is_bound(module, argument, holder, scope, depth - 1) for argument in arguments)


def _is_undone(module: Module, node: ast.AsyncWith, names: set[str], given: ast.AST, scope: Scope) -> bool:
    """Whether the transaction is rolled back, or what holds it closed, in the block after the yield."""
    handlers = [handler for around in module.ancestors(given, scope) for handler in _handlers_of(around, given)]
    after = (
        each
        for each in scope.of(ast.Call, ast.Raise)
        if is_within(each, node.body) and place_of(each) >= end_of(given)
        if not any(is_within(each, handler.body) for handler in handlers)
    )
    return any(
        _undoes(module, each, names, scope) if isinstance(each, ast.Call) else _always_leaves(module, each, scope)
        for each in after
    )


def _handlers_of(around: ast.AST, given: ast.AST) -> list[ast.ExceptHandler]:
    """What catches exceptions around a yield: never reached, for pytest raises no failure of a test in a fixture."""
    return around.handlers if isinstance(around, ast.Try) and is_within(given, around.body) else []


def _undoes(module: Module, call: ast.Call, names: set[str], scope: Scope) -> bool:
    method = call.func if isinstance(call.func, ast.Attribute) else None
    if method is not None and (
        method.attr == "rollback" or (method.attr in CLOSING and path_of(method.value) in names)
    ):
        return True
    helper = function_meant(module, call.func, scope)
    has_it = helper is not None and helper.outer is scope
    if not has_it and (names.isdisjoint(map(path_of, call.args)) or is_inert_call(module, call, scope)):
        return False
    # Whoever has the holder, or is handed it, may roll it back, unless it can be seen that he does not.
    return helper is None or any(
        isinstance(each, ast.Call) and word_of(each.func) in ("rollback", *CLOSING)
        for each in helper.scope.of(ast.Call)
    )


def _always_leaves(module: Module, node: ast.AST, scope: Scope) -> bool:
    """Whether a `raise` ends the block whatever has happened before: an exception rolls the transaction back."""
    return not any(isinstance(around, ast.ExceptHandler) for around in module.ancestors(node, scope))
