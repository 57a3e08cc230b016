"""AT510: `gather(..., return_exceptions=True)` collects the failures, and nobody looks at them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import remove_argument, unsafe
from flake8_async_tests.inference.backends import runs_on_trio
from flake8_async_tests.inference.counting import is_only_counted
from flake8_async_tests.inference.places import clears_up, is_cancelled_before, is_test_code
from flake8_async_tests.inference.suspension import is_last_to_raise
from flake8_async_tests.rule import Finding, Fix, Knows, rule
from flake8_async_tests.source.calls import keyword_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module


@rule("AT510", "discarded-gather-exceptions", knows=Knows.FILE, fix="unsafe", calls=("asyncio.gather",))
def check(module: Module) -> Iterator[Finding]:
    for call in module.calls("asyncio.gather"):
        awaited = call.holder
        if not is_test_code(module, call.scope):
            continue
        if not isinstance(awaited, ast.Await) or not _returns_exceptions(call) or not _all_made_on_the_spot(call):
            continue
        if not is_only_counted(module, awaited, call.scope, holds_outcomes=True):
            continue
        if clears_up(module, awaited, call.scope) or is_cancelled_before(module, awaited, call.scope):
            continue
        if is_last_to_raise(module, awaited, call.scope):
            continue
        if not runs_on_trio(module, call.scope):
            yield Finding(
                awaited,
                "gather(return_exceptions=True) returns the failures and nobody looks at them: they vanish"
                " (leave return_exceptions out, or check the results)",
                _fix(call),
            )


def _fix(call: Call) -> Fix | None:
    flags = [keyword for keyword in call.node.keywords if keyword.arg == "return_exceptions"]
    return unsafe(*(remove_argument(call.module, call.node, flag) for flag in flags))


def _returns_exceptions(call: Call) -> bool:
    value = keyword_value(call.node, "return_exceptions")
    return isinstance(value, ast.Constant) and value.value is True


def _all_made_on_the_spot(call: Call) -> bool:
    return bool(call.node.args) and all(_is_made_on_the_spot(argument, call) for argument in call.node.args)


def _is_made_on_the_spot(argument: ast.expr, call: Call) -> bool:
    """Whether an argument is a call, or unpacks a comprehension, display or `map` of calls."""
    if not isinstance(argument, ast.Starred):
        return isinstance(argument, ast.Call)
    value = argument.value
    if isinstance(value, (ast.ListComp, ast.GeneratorExp, ast.SetComp)):
        return isinstance(value.elt, ast.Call)
    if isinstance(value, (ast.List, ast.Tuple)):
        return bool(value.elts) and all(isinstance(element, ast.Call) for element in value.elts)
    return isinstance(value, ast.Call) and call.module.qualified(value.func, call.scope) == "builtins.map"
