"""AT905: a test that waits for as long as it takes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.clients.constructions import constructions_of
from flake8_async_tests.inference.loops.known import is_method_of_loop
from flake8_async_tests.inference.places.parts import contexts_around, entered_by, nodes_of, place_of
from flake8_async_tests.inference.places.suspension import statement_of
from flake8_async_tests.inference.time.timeouts import TIMEOUTS, may_be_under_timeout_of_stack
from flake8_async_tests.inference.values.bindings import path_of
from flake8_async_tests.inference.values.elsewhere import find_elsewhere
from flake8_async_tests.inference.values.flow import Kind, bindings_at, class_of_parameter
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.values.flow import Binding
    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.marks import Mark
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# What waits, by the class that it is a method of.
_WAITING = {
    "anyio.Condition": "wait",
    "anyio.Event": "wait",
    "anyio.Lock": "acquire",
    "asyncio.Condition": "wait",
    "asyncio.Event": "wait",
    "asyncio.LifoQueue": "get",
    "asyncio.Lock": "acquire",
    "asyncio.PriorityQueue": "get",
    "asyncio.Queue": "get",
    "trio.Condition": "wait",
    "trio.Event": "wait",
    "trio.Lock": "acquire",
}
# What lets a wait end.
_PROVIDING = ("cancel", "set", "set_exception", "set_result")
_PUTTING = ("put", "put_nowait")
_TAKING = ("get", "get_nowait")
_LOOPS = (ast.For, ast.AsyncFor)
# How many of them are looked at for one wait.
_MOST = 32
_FUTURE = "asyncio.Future"
_WAIT_FOR = "asyncio.wait_for"

# By which the time is given, where it is not the first argument.
_TIME = ("delay", "when", "seconds", "deadline")
_SCOPES = frozenset({"anyio.CancelScope", "trio.CancelScope"})


@rule("AT905", "wait-without-timeout", knows=Knows.CONFIG)
def check(module: Module) -> Iterator[Finding]:
    if _has_timeout(module):
        return
    for node, scope in module.of_kind(ast.Await):
        test = module.test_of(module.function_at(scope))
        if test is None or any(map(_is_timeout, test.marks.named("timeout"))):
            continue
        what = _awaited(module, node.value, scope)
        if not what or _may_end_in_time(module, node, scope) or _has_come_already(module, node, scope):
            continue
        if _is_known_to_hold_something(module, node, scope):
            continue
        if not _is_wrapped_in_timeout(module, test.function):
            yield Finding(
                node,
                f"{what} waits for ever when what it waits for never comes, and the run with it"
                " (put it under asyncio.timeout(..), or configure pytest-timeout)",
            )


def _may_end_in_time(module: Module, node: ast.AST, scope: Scope) -> bool:
    """Whether it stands under a timeout, or under a context manager of the project that yields under one."""
    if may_be_under_timeout_of_stack(module, node, scope):
        return True
    for name, context in contexts_around(module, node, scope):
        if name in TIMEOUTS:
            if _ends(module, context, scope, name):
                return True
            continue
        definition = module.names.definition(context.func, scope)
        manager = module.function_of_node(definition) if definition is not None else None
        if manager is not None and _yields_under_timeout(manager):
            return True
        if definition is None and _may_limit_time(module, name):
            return True
    return False


def _may_limit_time(module: Module, name: str) -> bool:
    """Whether a module of the project makes a timeout of it, or hands on who knows what: one of several imports."""
    owner, _, last = name.rpartition(".")
    path = module.project.find_import(owner, module) if owner else None
    source = module.project.module_at(path) if path is not None else None
    if source is None or last not in source.scope.bindings:
        return False
    found = find_elsewhere(module, name)
    if found is None:
        return True
    manager = found.module.function_of_node(found.definition) if found.definition is not None else None
    return manager is not None and _yields_under_timeout(manager)


def _is_wrapped_in_timeout(module: Module, function: Function) -> bool:
    """Whether a decorator of this file speaks of a timeout, under which it may call the function."""
    for decorator in function.decorators:
        node = decorator.call.func if decorator.call is not None else decorator.node
        wrapper = module.function_by_name(node, function.outer)
        if wrapper is not None:
            within = set(module.scopes_within(wrapper.scope))
            if any(call.scope in within for call in module.calls(*TIMEOUTS, _WAIT_FOR)):
                return True
    return False


def _ends(module: Module, timeout: ast.Call, scope: Scope, name: str) -> bool:
    """Whether a timeout has an end: `asyncio.timeout(None)` has none, unless it is given one later."""
    times = [*timeout.args[:1], *(keyword.value for keyword in timeout.keywords if keyword.arg in (*_TIME, None))]
    if not times and name in _SCOPES:
        # Who has it by a name may cancel it.
        block = entered_by(module, timeout)
        return block is None or any(item.optional_vars is not None for item in block.items)
    if not any(isinstance(given, ast.Constant) and given.value is None for given in times):
        return True
    return scope in module.fact(_rescheduling)


def _is_timeout(mark: Mark) -> bool:
    """Whether a mark of pytest-timeout sets a time: 0 says that there is none."""
    first = mark.call.args[0] if mark.call is not None and mark.call.args else None
    return not isinstance(first, ast.Constant) or bool(first.value)


def _rescheduling(module: Module) -> set[Scope]:
    return {call.scope for call in module.method_calls("reschedule")}


def _yields_under_timeout(manager: Function) -> bool:
    module, scope = manager.module, manager.scope
    return any(name in TIMEOUTS for node in scope.of(ast.Yield) for name, _ in contexts_around(module, node, scope))


def _has_timeout(module: Module) -> bool:
    """Whether pytest-timeout ends every test in time, as far as the configuration tells."""
    config = module.project.config_for(module.directory)
    if not config.known:
        return True
    timeout = config.get("timeout")
    addopts = config.get("addopts")
    if timeout is not None and timeout.value.strip() not in ("", "0"):
        return True
    if addopts is not None and any(word.partition("=")[0] == "--timeout" for word in addopts.values):
        return True
    # A conftest may mark every test.
    return any(conftest.calls("pytest.mark.timeout") for conftest in module.project.conftests(module.directory).modules)


def _awaited(module: Module, node: ast.expr, scope: Scope) -> str:
    """What waits without end, in words; "" when nothing does."""
    if isinstance(node, (ast.Name, ast.Attribute)):
        return "a future" if _is_future(module, node, scope) else ""
    if not isinstance(node, ast.Call):
        return ""
    call = module.call_at(node, scope)
    if call.name == _WAIT_FOR:
        timeout = call.argument(1, "timeout")
        return "wait_for(.., None)" if isinstance(timeout, ast.Constant) and timeout.value is None else ""
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in _WAITING.values():
        return ""
    classes = _classes(module, node.func.value, scope)
    if classes and all(_WAITING.get(name) == node.func.attr for name in classes):
        return f"{classes[0].rpartition('.')[2].lower()}.{node.func.attr}()"
    return ""


def _has_come_already(module: Module, node: ast.Await, scope: Scope) -> bool:
    """Whether the test itself has seen to what is waited for, on the way to the wait: `event.set()`."""
    waited = node.value
    is_taken = False
    if isinstance(waited, ast.Call) and isinstance(waited.func, ast.Attribute):
        is_taken = waited.func.attr in _TAKING
        waited = waited.func.value
    path = path_of(waited)
    provided = module.fact(_put if is_taken else _provided).get((scope, path), ())
    around = set(module.ancestors(node, scope)) if provided else set()
    blocks = [scope.parents[statement_of(call, scope)] for call in provided[:_MOST] if place_of(call) < place_of(node)]
    there = [block for block in blocks if block in around]
    if not is_taken:
        return bool(there)
    # As many as a loop puts may be taken.
    if any(isinstance(block, _LOOPS) and scope.parents[block] in around for block in blocks):
        return True
    taken = module.fact(_taken).get((scope, path), ())
    return len(there) > sum(place_of(call) < place_of(node.value) for call in taken)


def _is_known_to_hold_something(module: Module, node: ast.Await, scope: Scope) -> bool:
    """Whether a queue was asked before whether there is something in it: `while not queue.empty()`."""
    call = node.value
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return False
    questions = {f"{path_of(call.func.value)}.{name}" for name in ("empty", "qsize")}
    return any(
        isinstance(part, ast.Attribute) and path_of(part) in questions
        for around in module.ancestors(node, scope)
        if isinstance(around, (ast.While, ast.If))
        for part in nodes_of([around.test])
    )


def _provided(module: Module) -> dict[tuple[Scope, str], list[ast.Call]]:
    """The calls that let a wait end, by the path of what is waited for."""
    return _by_path(module, *_PROVIDING)


def _put(module: Module) -> dict[tuple[Scope, str], list[ast.Call]]:
    return _by_path(module, *_PUTTING)


def _taken(module: Module) -> dict[tuple[Scope, str], list[ast.Call]]:
    return _by_path(module, *_TAKING)


def _by_path(module: Module, *methods: str) -> dict[tuple[Scope, str], list[ast.Call]]:
    found: dict[tuple[Scope, str], list[ast.Call]] = {}
    for call in module.method_calls(*methods):
        assert isinstance(call.node.func, ast.Attribute)
        found.setdefault((call.scope, path_of(call.node.func.value)), []).append(call.node)
    return found


def _classes(module: Module, node: ast.expr, scope: Scope) -> list[str]:
    """The classes of which an expression may be an instance; none when that is not known."""
    built = constructions_of(module, node, scope)
    if built:
        return [each.name for each in built]
    return [class_of_parameter(module, binding) for binding in bindings_at(module, node, scope)]


def _is_future(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether a name holds a future that somebody has to complete."""
    bindings = bindings_at(module, node, scope)
    return bool(bindings) and all(_holds_future(module, binding) for binding in bindings)


def _holds_future(module: Module, binding: Binding) -> bool:
    if binding.kind is Kind.PARAMETER:
        return class_of_parameter(module, binding) == _FUTURE
    return binding.kind is Kind.ASSIGNED and _makes_future(module, binding.value, binding.scope)


def _makes_future(module: Module, node: ast.expr | None, scope: Scope) -> bool:
    if not isinstance(node, ast.Call):
        return False
    return module.qualified(node.func, scope) == _FUTURE or is_method_of_loop(module, node.func, scope, "create_future")
