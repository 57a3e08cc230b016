"""AT302: a coroutine is taken for the result that awaiting it would give."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import insert_await, unsafe
from flake8_async_tests.inference.awaiting.candidates import UNITTEST_ASSERTIONS
from flake8_async_tests.inference.awaiting.consumption import (
    check_of,
    is_coroutines_own,
    is_left_alone_on_purpose,
    need_of,
)
from flake8_async_tests.inference.awaiting.raising import expectation_of_only
from flake8_async_tests.inference.coroutines.known import coroutine_function_called, suspects
from flake8_async_tests.inference.places.exceptions import is_expected_around
from flake8_async_tests.inference.places.parts import place_of
from flake8_async_tests.inference.uses.handover import is_inert_call, is_shared, loads_of
from flake8_async_tests.inference.values.bindings import leaves_of
from flake8_async_tests.inference.values.flow import bindings_at
from flake8_async_tests.rule import Finding, Fix, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.values.flow import Binding
    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# Who asks these knows that it may be a coroutine.
_PREDICATES = frozenset(
    {
        "asyncio.iscoroutine",
        "asyncio.isfuture",
        "builtins.type",
        "inspect.getcoroutinestate",
        "inspect.isawaitable",
        "inspect.iscoroutine",
    }
)
_ISINSTANCE = "builtins.isinstance"
# What Python raises where a coroutine is asked for what it has not.
_ERRORS = ("builtins.AttributeError", "builtins.TypeError")
# What a coroutine is an instance of, by the last word of its name, or may be taken for.
_KINDS_OF_COROUTINES = frozenset(
    {
        "AsyncGenerator",
        "Awaitable",
        "Coroutine",
        "CoroutineType",
        "Future",
        "Generator",
        "Hashable",
        "Task",
        "object",
    }
)


@rule("AT302", "coroutine-as-value", knows=Knows.PROJECT, fix="unsafe")
def check(module: Module) -> Iterator[Finding]:
    assigned: dict[tuple[Scope, str], list[Call]] = {}
    for call in suspects(module):
        name = _name_assigned(call)
        if name:
            assigned.setdefault((call.scope, name), []).append(call)
        elif not call.is_statement:
            yield from _use_of_call(module, call)
    checks = {scope: _lines_of_checks(scope) for scope in {scope for scope, _ in assigned}}
    for (scope, name), given in assigned.items():
        loads = loads_of(module, name, scope)
        if any(load.lineno in checks[scope] for load in loads):
            yield from _uses_of_name(module, name, scope, given)


def _name_assigned(call: Call) -> str:
    """The name to which alone an assignment gives what a call makes: `x = call()`, `x, y = call(), other()`."""
    node = call.parent
    if isinstance(node, ast.Tuple):
        node = call.scope.parents[node]
    if not isinstance(node, (ast.Assign, ast.AnnAssign)):
        return ""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    given = leaves_of(targets[0], node.value) if len(targets) == 1 else ()
    return next((leaf.id for leaf, part in given if part is call.node and isinstance(leaf, ast.Name)), "")


def _use_of_call(module: Module, call: Call) -> Iterator[Finding]:
    need = need_of(module, call.node, call.scope)
    shown = coroutine_function_called(call) if need else ""
    # Where an exception is waited for, AT303 speaks of it.
    if not shown or expectation_of_only(module, call.node, call.scope) is not None:
        return
    if is_expected_around(module, call.node, call.scope, *_ERRORS):
        # The error may be what the test is about.
        return
    if not is_left_alone_on_purpose(module, call.node, call.scope):
        yield Finding(call.node, _message(f"{shown}()", need), unsafe(*insert_await(module, call.node, call.scope)))


def _message(subject: str, need: str, *, is_awaited_later: bool = False) -> str:
    what = "nothing of it has run yet (await it first)" if is_awaited_later else "nothing of it has run (await it)"
    return f"{subject} is a coroutine, not its result, when it is {need}: {what}"


def _uses_of_name(module: Module, name: str, scope: Scope, calls: list[Call]) -> Iterator[Finding]:
    coroutines = {call.node for call in calls if coroutine_function_called(call)}
    if not coroutines or is_shared(module, name, scope):
        return
    loads = sorted(loads_of(module, name, scope), key=place_of)
    held = {load: bindings_at(module, load, scope) for load in loads}
    holding = [load for load in loads if held[load] and all(binding.value in coroutines for binding in held[load])]
    is_taken_for_result = any(_is_taken_for_result(load, scope) for load in holding)
    if not is_taken_for_result and any(_knows_better(module, load, scope) for load in loads):
        return
    # Awaited, or given to somebody who may await it.
    settled: set[Binding] = set()
    for load in holding:
        bindings = held[load]
        if not settled.isdisjoint(bindings):
            continue
        need = check_of(module, load, scope)
        if need:
            if not is_left_alone_on_purpose(module, load, scope):
                made = bindings[0].value
                fix = _fix_of_name(module, held, made, scope) if len(bindings) == 1 and made is not None else None
                is_awaited_later = any(
                    isinstance(scope.parents[other], ast.Await) and held[other] == bindings for other in loads
                )
                yield Finding(load, _message(name, need, is_awaited_later=is_awaited_later), fix)
        elif not isinstance(scope.parents[load], (ast.Attribute, ast.Subscript, ast.FormattedValue)):
            settled.update(bindings)


def _fix_of_name(module: Module, held: dict[ast.Name, tuple[Binding, ...]], made: ast.expr, scope: Scope) -> Fix | None:
    """An await where the coroutine is made, if all that is done with it needs the result: it can be awaited once."""
    for load, bindings in held.items():
        may_hold_it = not bindings or any(binding.value is made for binding in bindings)
        if may_hold_it and not need_of(module, load, scope) and not _is_only_looked_at(module, load, scope):
            return None
    return unsafe(*insert_await(module, made, scope))


def _is_only_looked_at(module: Module, load: ast.Name, scope: Scope) -> bool:
    parent = scope.parents[load]
    return isinstance(parent, ast.Call) and is_inert_call(module, parent, scope)


def _lines_of_checks(scope: Scope) -> frozenset[int]:
    """The lines on which something is asserted or compared: what stands on no such line need not be looked at."""
    lines: set[int] = set()
    for node in scope.nodes:
        if isinstance(node, ast.Call):
            looks = isinstance(node.func, ast.Attribute) and node.func.attr in UNITTEST_ASSERTIONS
        else:
            looks = isinstance(node, (ast.Assert, ast.Compare))
        if looks:
            assert isinstance(node, (ast.stmt, ast.expr))
            lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return frozenset(lines)


def _is_taken_for_result(load: ast.Name, scope: Scope) -> bool:
    """Whether something is asked of a name that no coroutine has."""
    parent = scope.parents[load]
    if isinstance(parent, ast.Attribute):
        return not is_coroutines_own(parent.attr)
    return isinstance(parent, ast.Subscript) and parent.value is load


def _knows_better(module: Module, load: ast.Name, scope: Scope) -> bool:
    """Whether a name is used as one that holds a coroutine."""
    parent = scope.parents[load]
    if isinstance(parent, ast.Attribute):
        return is_coroutines_own(parent.attr)
    if not isinstance(parent, ast.Call):
        return False
    name = module.qualified(parent.func, scope)
    return name in _PREDICATES or (name == _ISINSTANCE and _may_be_kind_of_coroutine(module, parent, scope))


def _may_be_kind_of_coroutine(module: Module, call: ast.Call, scope: Scope) -> bool:
    """Whether `isinstance` may be asked whether something is a coroutine."""
    kinds = call.args[1] if len(call.args) == 2 else call
    parts = kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
    names = [module.qualified(part, scope) for part in parts]
    return any(not name or name.rpartition(".")[2] in _KINDS_OF_COROUTINES for name in names)
