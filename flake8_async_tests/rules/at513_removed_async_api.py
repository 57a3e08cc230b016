"""AT513: something of asyncio, or of the libraries around it, that is gone or going."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import remove_alias, remove_argument, remove_decorator, replace, safe, spell, unsafe
from flake8_async_tests.inference.places.backends import runs_on_trio
from flake8_async_tests.inference.places.exceptions import exceptions_caught, is_caught_around, is_expected_around
from flake8_async_tests.inference.places.versions import is_for_one_version
from flake8_async_tests.inference.replacing.replaced import function_may_be_replaced
from flake8_async_tests.rule import Finding, Fix, Knows, rule
from flake8_async_tests.source.module import is_within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_LOST_LOOP = tuple(
    f"asyncio.{name}"
    for name in (
        "BoundedSemaphore",
        "Condition",
        "Event",
        "LifoQueue",
        "Lock",
        "PriorityQueue",
        "Queue",
        "Semaphore",
        "as_completed",
        "create_subprocess_exec",
        "create_subprocess_shell",
        "gather",
        "open_connection",
        "open_unix_connection",
        "shield",
        "sleep",
        "start_server",
        "start_unix_server",
        "wait",
        "wait_for",
    )
)
_DEAD_MODULES = {
    "asynctest": "unmaintained, and does not import on Python 3.11 and later (use unittest.mock and"
    " unittest.IsolatedAsyncioTestCase)",
    "aiounittest": "unmaintained (use unittest.IsolatedAsyncioTestCase)",
}
_RUN_LOOP = "aiohttp.test_utils.unittest_run_loop"
_MODULES_IN_QUESTION = {*_DEAD_MODULES, "aiohttp"}
_RUN_LOOP_MESSAGE = "unittest_run_loop does nothing since aiohttp 3.8 and is removed in 4 (leave it out)"
_FALLBACK = (
    "builtins.ImportError",
    "builtins.ModuleNotFoundError",
    "builtins.Exception",
    "builtins.BaseException",
)


@rule("AT513", "removed-async-api", knows=Knows.FILE, fix="safe")
def check(module: Module) -> Iterator[Finding]:
    yield from _loop_arguments(module)
    yield from _imports(module)
    yield from _decorators(module)
    for call in module.calls(_RUN_LOOP):
        if isinstance(call.node.func, ast.Attribute):
            yield Finding(call.node.func, _RUN_LOOP_MESSAGE)
    for call in module.calls("asyncio.iscoroutinefunction"):
        if not is_for_one_version(module, call.node, call.scope) and not function_may_be_replaced(call):
            yield Finding(
                call.node,
                "asyncio.iscoroutinefunction() is deprecated since Python 3.14 (use inspect.iscoroutinefunction())",
                _inspected(call),
            )


def _inspected(call: Call) -> Fix | None:
    name = spell(call.module, call.scope, "inspect", "iscoroutinefunction", line=call.node.lineno)
    return safe(replace(call.node.func, name.text), names=[name]) if name is not None else None


def _loop_arguments(module: Module) -> Iterator[Finding]:
    for call in module.calls(*_LOST_LOOP, where=_is_given_loop):
        for keyword in call.node.keywords:
            if keyword.arg != "loop" or is_for_one_version(module, call.node, call.scope):
                continue
            if _may_fail(call):
                continue
            if function_may_be_replaced(call) or runs_on_trio(module, call.scope):
                continue
            yield Finding(
                keyword,
                f"{call.name}() has no loop argument since Python 3.10: TypeError (leave it out)",
                unsafe(remove_argument(module, call.node, keyword)),
            )


def _may_fail(call: Call) -> bool:
    """Whether it is tried out, or its error is what is tested."""
    return is_expected_around(call.module, call.node, call.scope, "builtins.TypeError") or is_caught_around(
        call.module, call.node, call.scope, "builtins.TypeError"
    )


def _is_given_loop(call: ast.Call) -> bool:
    return any(keyword.arg == "loop" for keyword in call.keywords)


def _imports(module: Module) -> Iterator[Finding]:
    told: set[ast.AST] = set()
    for node, scope, name in _imported(module):
        message = _RUN_LOOP_MESSAGE if name == _RUN_LOOP else _about_dead_module(name)
        if message and node not in told and not _is_fallback(module, node, scope):
            told.add(node)
            yield Finding(node, message, _without_run_loop(module, node, scope) if name == _RUN_LOOP else None)


def _imported(module: Module) -> Iterator[tuple[ast.Import | ast.ImportFrom, Scope, str]]:
    """What is imported of the modules in question, by its whole name."""
    for whole, scope in module.of_kind(ast.Import):
        for alias in whole.names:
            if alias.name.partition(".")[0] in _MODULES_IN_QUESTION:
                yield whole, scope, alias.name
    for part, scope in module.of_kind(ast.ImportFrom):
        if part.module and not part.level and part.module.partition(".")[0] in _MODULES_IN_QUESTION:
            yield from ((part, scope, f"{part.module}.{alias.name}") for alias in part.names)


def _without_run_loop(module: Module, node: ast.Import | ast.ImportFrom, scope: Scope) -> Fix | None:
    """Without the decorators that do nothing, and without the import."""
    alias = next(alias for alias in node.names if alias.name == "unittest_run_loop")
    name = alias.asname or alias.name
    decorators = {decorator.node for function in module.functions for decorator in function.decorators}
    loads = [load for each in module.index.scopes for load in each.loads if load.id == name]
    if scope is not module.scope or len(scope.bindings[name]) != 1 or not decorators.issuperset(loads):
        return None
    return safe(*(remove_decorator(module, load) for load in loads), remove_alias(module, node, alias))


def _about_dead_module(name: str) -> str:
    head = name.partition(".")[0]
    return f"{head} is {_DEAD_MODULES[head]}" if head in _DEAD_MODULES else ""


def _is_fallback(module: Module, node: ast.stmt, scope: Scope) -> bool:
    """Whether an import is tried first, or is what to do without another one."""
    if is_for_one_version(module, node, scope) or is_caught_around(module, node, scope, *_FALLBACK):
        return True
    return any(
        isinstance(around, (ast.Try, ast.TryStar))
        and not is_within(node, around.finalbody)
        and any(not exceptions_caught(module, handler, scope).isdisjoint(_FALLBACK) for handler in around.handlers)
        for around in module.ancestors(node, scope)
    )


def _decorators(module: Module) -> Iterator[Finding]:
    words = module.names.tails_of("asyncio.coroutine") | module.names.tails_of(_RUN_LOOP)
    if words.isdisjoint(module.decorating_words):
        return
    for function in module.functions:
        for decorator in function.decorators:
            if decorator.name == "asyncio.coroutine":
                if is_for_one_version(module, function.node, function.outer):
                    continue
                yield Finding(
                    decorator.node,
                    "asyncio.coroutine is gone since Python 3.11: AttributeError (write async def and await)",
                )
            elif decorator.name == _RUN_LOOP and isinstance(decorator.node, ast.Attribute):
                # Imported by itself it is told of there.
                yield Finding(decorator.node, _RUN_LOOP_MESSAGE, safe(remove_decorator(module, decorator.node)))
