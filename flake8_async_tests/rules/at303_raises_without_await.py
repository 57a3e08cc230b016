"""AT303: a coroutine is made, but not awaited, where an exception is waited for."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import insert_await, replace_by_block, text_of, unsafe
from flake8_async_tests.inference.awaiting.raising import called_by, expectation_of, expectation_of_block, only_call_in
from flake8_async_tests.inference.coroutines.known import (
    coroutine_function_called,
    fits_for_sure,
    may_be_of_coroutine_function,
    words_of_coroutine_functions,
)
from flake8_async_tests.rule import Finding, Fix, Knows, rule
from flake8_async_tests.source.names import word_of
from flake8_async_tests.source.walk import arguments_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.awaiting.raising import Expectation
    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_FORMS = ("pytest.raises", "pytest.warns")
_METHODS = ("assertRaises", "assertRaisesRegex", "assertWarns", "assertWarnsRegex")
_NAMES = frozenset(_FORMS)


@rule("AT303", "raises-without-await", knows=Knows.PROJECT, fix="unsafe")
def check(module: Module) -> Iterator[Finding]:
    yield from _blocks(module)
    yield from _call_forms(module)


def _blocks(module: Module) -> Iterator[Finding]:
    words = module.names.tails_of_all(_NAMES).union(_METHODS)
    if words.isdisjoint(module.index.calls):
        return
    suspicious = words_of_coroutine_functions(module)
    for block, scope in module.of_kind(ast.With):
        call = only_call_in(block)
        if call is None or word_of(call.func) not in suspicious:
            continue
        if not any(
            isinstance(item.context_expr, ast.Call) and word_of(item.context_expr.func) in words for item in block.items
        ):
            continue
        if not may_be_of_coroutine_function(module, call, scope):
            continue
        expectation = expectation_of_block(module, block, scope)
        if expectation is None or expectation.of_never_awaited:
            continue
        if expectation.of_type_error and _unpacks(block.body[0]):
            # To unpack a coroutine raises one.
            continue
        shown = _coroutine_function_in(module, call, scope, expectation)
        if shown:
            yield Finding(
                call,
                f"{shown}() only makes a coroutine: nothing of it runs in {expectation.shown} (await it in there)",
                unsafe(*insert_await(module, call, scope)),
            )


def _unpacks(statement: ast.stmt) -> bool:
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return any(isinstance(target, (ast.Tuple, ast.List)) for target in targets)


def _call_forms(module: Module) -> Iterator[Finding]:
    for call in (*module.calls(*_FORMS, where=_calls), *module.method_calls(*_METHODS, where=_calls)):
        called = called_by(call)
        if called is None:
            continue
        made, scope = called, call.scope
        if isinstance(made.func, ast.Lambda) and isinstance(made.func.body, ast.Call):
            scope = module.fact(_scopes_of_lambdas)[made.func]
            made = made.func.body
        if not may_be_of_coroutine_function(module, made, scope):
            continue
        expectation = expectation_of(module, call.node, call.scope)
        if expectation is None or expectation.of_never_awaited:
            continue
        shown = _coroutine_function_in(module, made, scope, expectation)
        if shown:
            yield Finding(
                called.func,
                f"{expectation.shown} calls {shown}() and awaits nothing: nothing of it runs, and it cannot fail"
                f" (write with {expectation.shown[:-2]}(...): await {shown}(...))",
                _as_block(module, call, called),
            )


def _calls(expectation: ast.Call) -> bool:
    """Whether it may be given a function: with the exception alone it is a block's."""
    return len(expectation.args) > 1


def _as_block(module: Module, call: Call, called: ast.Call) -> Fix | None:
    """A `with` around an await of the call, in the place of the form that makes the call itself."""
    node, scope = call.node, call.scope
    statement = scope.parents[node]
    is_kept = isinstance(statement, ast.Assign) and len(statement.targets) == 1 and call.name != ""
    if not isinstance(scope.node, ast.AsyncFunctionDef) or not (isinstance(statement, ast.Expr) or is_kept):
        return None
    assert isinstance(statement, (ast.Expr, ast.Assign))
    function, head = called.func, node.args[: node.args.index(called.func)]
    parts: list[ast.expr | ast.keyword] = [*head, function, *called.args, *called.keywords]
    made = text_of(module, function.body if isinstance(function, ast.Lambda) else function)
    if not isinstance(function, ast.Lambda):
        made += f"({', '.join(text_of(module, part) for part in parts[len(head) + 1 :])})"
    elif called.args or called.keywords or arguments_of(function):
        return None
    kept = f" as {text_of(module, statement.targets[0])}" if isinstance(statement, ast.Assign) else ""
    heading = f"with {text_of(module, node.func)}({', '.join(text_of(module, part) for part in head)}){kept}:"
    return unsafe(replace_by_block(module, statement, parts, heading, f"await {made}", scope))


def _scopes_of_lambdas(module: Module) -> dict[ast.AST, Scope]:
    return {scope.node: scope for scope in module.index.scopes if isinstance(scope.node, ast.Lambda)}


def _coroutine_function_in(module: Module, node: ast.Call, scope: Scope, expectation: Expectation) -> str:
    """The known coroutine function that a call calls, "" also where the call itself may raise what is waited for."""
    call = module.call_at(node, scope)
    if expectation.of_type_error and not fits_for_sure(call):
        return ""
    return coroutine_function_called(call)
