"""Whether code may need an event loop that is running, though it awaits nothing."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.coroutines import coroutine_function_called
from flake8_async_tests.inference.elsewhere import find_elsewhere

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# How many functions are looked into on the way from a call to the calls within.
_MOST_FUNCTIONS = 32

_LIBRARIES = ("aiohttp.", "anyio.", "asyncio.", "trio.", "uvloop.")
_NEEDS_NONE = frozenset(
    {
        "asyncio.BoundedSemaphore",
        "asyncio.Condition",
        "asyncio.Event",
        "asyncio.LifoQueue",
        "asyncio.Lock",
        "asyncio.PriorityQueue",
        "asyncio.Queue",
        "asyncio.Semaphore",
        "asyncio.iscoroutine",
        "asyncio.iscoroutinefunction",
        "asyncio.isfuture",
        "asyncio.new_event_loop",
        "asyncio.run",
    }
)
_METHODS = frozenset(
    {
        "add_done_callback",
        "call_at",
        "call_later",
        "call_soon",
        "call_soon_threadsafe",
        "create_future",
        "create_task",
        "ensure_future",
        "get_event_loop",
        "get_running_loop",
        "run_coroutine_threadsafe",
        "run_in_executor",
        "start_soon",
    }
)
_CONSTRUCTORS = ("__init__", "__new__", "__post_init__")


def may_need_running_loop(module: Module, scope: Scope) -> bool:
    """Whether something that is called in a scope, or in functions of the project that it calls, wants a loop."""
    todo: list[tuple[Module, Scope]] = [(module, scope)]
    seen: set[Scope] = {scope}
    while todo:
        at, within = todo.pop()
        for node in within.of(ast.Call):
            assert isinstance(node, ast.Call)
            if _wants_loop(at, node, within):
                return True
            for function in _functions_called(at, node, within):
                if function.scope not in seen and len(seen) < _MOST_FUNCTIONS:
                    seen.add(function.scope)
                    todo.append((function.module, function.scope))
    return False


def _wants_loop(module: Module, node: ast.Call, scope: Scope) -> bool:
    if isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
        return True
    name = module.qualified(node.func, scope)
    if name in _NEEDS_NONE:
        return False
    return name.startswith(_LIBRARIES) or bool(coroutine_function_called(module.call_at(node, scope)))


def _functions_called(module: Module, node: ast.Call, scope: Scope) -> Iterator[Function]:
    """The sync functions of the project that a call certainly runs."""
    method = _method_of_self(module, node.func, scope)
    if method is not None:
        yield method
        return
    definition = module.names.definition(node.func, scope)
    if definition is None:
        elsewhere = find_elsewhere(module, module.qualified(node.func, scope))
        if elsewhere is None:
            return
        module, definition = elsewhere.module, elsewhere.definition
    function = module.function_of_node(definition) if definition is not None else None
    if function is not None:
        if not function.is_async:
            yield function
    elif isinstance(definition, ast.ClassDef):
        klass = module.class_of_node(definition)
        methods = (klass.find_method(name) for name in _CONSTRUCTORS) if klass is not None else ()
        yield from (method for method in methods if method is not None)


def _method_of_self(module: Module, node: ast.expr, scope: Scope) -> Function | None:
    """The method that `self.method` means in a class of the file."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return None
    function = module.function_at(scope)
    if function is None or function.klass is None or function.parameters[:1] != (node.value.id,):
        return None
    return function.klass.find_method(node.attr)
