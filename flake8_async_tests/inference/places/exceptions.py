"""Which exceptions are caught or expected around something."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.parts import contexts_around
from flake8_async_tests.source.calls import keyword_value
from flake8_async_tests.source.module import is_within

if TYPE_CHECKING:
    from collections.abc import Collection

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# Other names of the same classes, from Python 3.11 on.
_SAME = {
    "asyncio.TimeoutError": "builtins.TimeoutError",
    "concurrent.futures.TimeoutError": "builtins.TimeoutError",
    "socket.timeout": "builtins.TimeoutError",
}
REFUSALS = ("builtins.RuntimeError", "builtins.Exception", "builtins.BaseException")
"""What is to be expected of the start of a loop while another one runs."""
_EXPECTING = frozenset(
    {".assertRaises", ".assertRaisesRegex", ".assertWarns", ".assertWarnsRegex", "pytest.raises", "pytest.warns"}
)
# What means something else in a pattern than itself.
_SPECIAL = frozenset("\\.^$*+?{}[]|()")
_KNOWN = frozenset(
    f"builtins.{name}"
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
) | {"asyncio.CancelledError"}
# How many constants and tuples within each other are read.
_DEPTH = 4


def exceptions_named(module: Module, node: ast.expr | None, scope: Scope) -> frozenset[str]:
    """The qualified names of the classes that an expression names: one, a tuple of them, or a constant that is one.

    A class that is none of another module's is not among them.
    """
    found: set[str] = set()
    todo = [(node, _DEPTH)]
    while todo:
        each, depth = todo.pop()
        if isinstance(each, ast.Name):
            each = module.value_of(each, scope)
        if isinstance(each, ast.Tuple):
            todo += [(element, depth - 1) for element in each.elts] if depth else []
            continue
        name = module.qualified(each, scope)
        found.add(_SAME.get(name, name))
    return frozenset(found - {""})


def is_exception(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether an expression is the class of a well-known exception, or a new instance of one."""
    named = exceptions_named(module, node.func if isinstance(node, ast.Call) else node, scope)
    return bool(named) and named <= _KNOWN


def exceptions_caught(module: Module, handler: ast.ExceptHandler, scope: Scope) -> frozenset[str]:
    """What a handler catches, `BaseException` when it says nothing."""
    if handler.type is None:
        return frozenset({"builtins.BaseException"})
    return exceptions_named(module, handler.type, scope)


def is_expected_around(module: Module, node: ast.AST, scope: Scope, *names: str, saying: str = "") -> bool:
    """Whether `pytest.raises`, `assertWarns` or the like of one of these exceptions or warnings stands around a node.

    With the message that is raised, one that waits for another message does not count.
    """
    for context, call in contexts_around(module, node, scope):
        if context == "pytest.deprecated_call" and "builtins.DeprecationWarning" in names:
            return True
        if context in _EXPECTING and _expects(module, call, scope, names) and _may_wait_for(call, saying):
            return True
    return False


def _may_wait_for(call: ast.Call, message: str) -> bool:
    """Whether the text that a call looks for may be in a message: what is no plain text may be."""
    pattern = call.args[1] if len(call.args) > 1 else keyword_value(call, "match")
    text = pattern.value if isinstance(pattern, ast.Constant) else None
    if not message or not isinstance(text, str) or not _SPECIAL.isdisjoint(text):
        return True
    return text in message


def expects_refusal(module: Module, scope: Scope) -> bool:
    """Whether a function expects that something it does is refused a loop, because one is running."""
    return scope in module.fact(_scopes_that_expect_refusal)


def _scopes_that_expect_refusal(module: Module) -> set[Scope]:
    calls = [*module.calls("pytest.raises"), *module.method_calls("assertRaises", "assertRaisesRegex")]
    return {call.scope for call in calls if _expects(module, call.node, call.scope, REFUSALS)}


def _expects(module: Module, call: ast.Call, scope: Scope, names: Collection[str]) -> bool:
    """Whether a call of `pytest.raises` or the like is about one of these exceptions."""
    expected = call.args[0] if call.args else keyword_value(call, "expected_exception")
    return not exceptions_named(module, expected, scope).isdisjoint(names)


def is_caught_around(module: Module, node: ast.AST, scope: Scope, *names: str) -> bool:
    """Whether a `try` around a node has a handler that names one of these exceptions, or it stands under `suppress`."""
    if any(
        is_within(node, each.body)
        and any(not exceptions_caught(module, handler, scope).isdisjoint(names) for handler in each.handlers)
        for each in module.fact(_tries).get(scope, ())
    ):
        return True
    return any(
        context == "contextlib.suppress" and not exceptions_named(module, argument, scope).isdisjoint(names)
        for context, call in contexts_around(module, node, scope)
        for argument in call.args
    )


def _tries(module: Module) -> dict[Scope, list[ast.Try | ast.TryStar]]:
    found: dict[Scope, list[ast.Try | ast.TryStar]] = {}
    for node, scope in module.of_kind(ast.Try):
        found.setdefault(scope, []).append(node)
    for group, scope in module.of_kind(ast.TryStar):
        found.setdefault(scope, []).append(group)
    return found
