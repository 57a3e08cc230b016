"""AT510: `gather(..., return_exceptions=True)` collects the failures, and nobody looks at them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import remove_argument, unsafe
from flake8_async_tests.inference.awaiting.counting import is_only_counted
from flake8_async_tests.inference.places.backends import runs_on_trio
from flake8_async_tests.inference.places.parts import clears_up, is_test_code
from flake8_async_tests.inference.places.suspension import is_last_to_raise
from flake8_async_tests.inference.replacing.replaced import function_may_be_replaced
from flake8_async_tests.inference.tasks.cancelled_before import is_cancelled_before
from flake8_async_tests.inference.uses.handover import is_shared, loads_of
from flake8_async_tests.rule import Finding, Fix, Knows, rule
from flake8_async_tests.source.calls import keyword_value
from flake8_async_tests.source.names import word_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module

# What gives a task or a future, which goes on whoever waits for it.
_STARTING = frozenset({"create_task", "ensure_future", "run_in_executor", "submit"})
_HANDING_ON = frozenset({"asyncio.shield", "asyncio.wait_for"})


@rule("AT510", "discarded-gather-exceptions", knows=Knows.FILE, fix="unsafe", calls=("asyncio.gather",))
def check(module: Module) -> Iterator[Finding]:
    for call in module.calls("asyncio.gather"):
        if not is_test_code(module, call.scope) or not _returns_exceptions(call) or not _all_made_on_the_spot(call):
            continue
        awaited = _awaited(call)
        if awaited is None or function_may_be_replaced(call):
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


def _awaited(call: Call) -> ast.Await | None:
    """The await of what it gives, be it by way of `wait_for` or `shield`, which hand that on."""
    around = call.holder if call.holder is not None else call.scope.parents[call.node]
    while isinstance(around, ast.Call) and call.module.qualified(around.func, call.scope) in _HANDING_ON:
        around = call.scope.parents[around]
    return around if isinstance(around, ast.Await) else None


def _returns_exceptions(call: Call) -> bool:
    value = keyword_value(call.node, "return_exceptions")
    return isinstance(value, ast.Constant) and value.value is True


def _all_made_on_the_spot(call: Call) -> bool:
    return bool(call.node.args) and all(_is_made_on_the_spot(argument, call) for argument in call.node.args)


def _is_made_on_the_spot(argument: ast.expr, call: Call) -> bool:
    """Whether an argument is a call, or unpacks a comprehension, display or `map` of calls."""
    if not isinstance(argument, ast.Starred):
        return isinstance(argument, ast.Call)
    if isinstance(argument.value, ast.Name):
        return _holds_coroutines_for(argument.value, call)
    value = argument.value
    made = _made_in(value)
    if made:
        return all(isinstance(each, ast.Call) for each in made)
    return isinstance(value, ast.Call) and call.module.qualified(value.func, call.scope) == "builtins.map"


def _holds_coroutines_for(name: ast.Name, call: Call) -> bool:
    """Whether a name is given calls that start no task, and is read nowhere else: nobody else gets to see them."""
    module, scope = call.module, call.scope
    if is_shared(module, name.id, scope) or len(loads_of(module, name.id, scope)) != 1:
        return False
    made = _made_in(module.value_of(name, scope))
    return bool(made) and all(isinstance(each, ast.Call) and word_of(each.func) not in _STARTING for each in made)


def _made_in(value: ast.expr) -> list[ast.expr]:
    """What a comprehension or a display holds."""
    if isinstance(value, (ast.ListComp, ast.GeneratorExp, ast.SetComp)):
        return [value.elt]
    return value.elts if isinstance(value, (ast.List, ast.Tuple)) else []
