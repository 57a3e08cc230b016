"""AT303: a coroutine is made, but not awaited, where an exception is waited for."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import insert_await, unsafe
from flake8_async_tests.inference.coroutines import coroutine_function_called, suspects
from flake8_async_tests.inference.raising import expectation_of, expectation_of_block, only_call_in
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_FORMS = ("pytest.raises", "pytest.warns")
_METHODS = ("assertRaises", "assertRaisesRegex", "assertWarns", "assertWarnsRegex")


@rule("AT303", "raises-without-await", knows=Knows.PROJECT, fix="unsafe")
def check(module: Module) -> Iterator[Finding]:
    yield from _blocks(module)
    yield from _call_forms(module)


def _blocks(module: Module) -> Iterator[Finding]:
    suspected = {call.node for call in suspects(module)}
    for block, scope in module.of_kind(ast.With):
        call = only_call_in(block)
        if call not in suspected:
            continue
        assert call is not None
        expectation = expectation_of_block(module, block, scope)
        if expectation is None or expectation.of_never_awaited:
            continue
        shown = coroutine_function_called(module.call_at(call, scope))
        if shown:
            yield Finding(
                call,
                f"{shown}() only makes a coroutine: nothing of it runs in {expectation.shown} (await it in there)",
                unsafe(*insert_await(module, call, scope)),
            )


def _call_forms(module: Module) -> Iterator[Finding]:
    for call in (*module.calls(*_FORMS), *module.method_calls(*_METHODS)):
        expectation = expectation_of(module, call.node, call.scope)
        if expectation is None or expectation.called is None or expectation.of_never_awaited:
            continue
        shown = _coroutine_function_in(module, expectation.called, call.scope)
        if shown:
            yield Finding(
                expectation.called.func,
                f"{expectation.shown} calls {shown}() and awaits nothing: nothing of it runs, and it cannot fail"
                f" (write with {expectation.shown[:-2]}(...): await {shown}(...))",
            )


def _coroutine_function_in(module: Module, call: ast.Call, scope: Scope) -> str:
    """The known coroutine function that a call calls, be it through a lambda."""
    function = call.func
    if not isinstance(function, ast.Lambda):
        return coroutine_function_called(module.call_at(call, scope))
    if not isinstance(function.body, ast.Call):
        return ""
    within = next(inner for inner in module.index.scopes if inner.node is function)
    return coroutine_function_called(module.call_at(function.body, within))
