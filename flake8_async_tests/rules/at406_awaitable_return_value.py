"""AT406: an AsyncMock is told to return something awaitable, which its await hands over un-awaited."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import insert_await, remove_statements, replace, stands_alone, text_of, unsafe
from flake8_async_tests.inference.coroutines.awaitables import Awaitable, awaitability_of, awaitability_of_result
from flake8_async_tests.inference.mocks.known import mocks_of
from flake8_async_tests.inference.mocks.settings import MockSettings
from flake8_async_tests.inference.mocks.targets import gives_awaitable
from flake8_async_tests.inference.replacing.mock_values import RETURN_VALUE, SIDE_EFFECT
from flake8_async_tests.inference.tasks.settled_futures import makes_future, settled_future
from flake8_async_tests.inference.uses.handover import is_shared, loads_of
from flake8_async_tests.inference.values.bindings import path_of
from flake8_async_tests.inference.values.flow import Kind, bindings_at
from flake8_async_tests.rule import Finding, Fix, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.mocks.settings import MockSetting
    from flake8_async_tests.inference.replacing.mock_values import Mock
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# What these come to is their second argument, else None: nobody has to wait for it.
_SLEEPS = frozenset({"asyncio.sleep", "anyio.sleep", "trio.sleep"})


@rule("AT406", "awaitable-return-value", knows=Knows.PROJECT, fix="unsafe")
def check(module: Module) -> Iterator[Finding]:
    if not mocks_of(module).names.may_be_async:
        return
    for setting in module.fact(MockSettings).naming(RETURN_VALUE, SIDE_EFFECT):
        if (
            _may_be_awaitable(module, setting)
            and _gives_awaitable(module, setting)
            and _is_of_async_mock(module, setting)
        ):
            yield Finding(
                setting.value,
                f"{setting.name} is awaitable, and an AsyncMock hands it over un-awaited (give its result instead)",
                _fix(module, setting),
            )


def _fix(module: Module, setting: MockSetting) -> Fix | None:
    """What the awaitable comes to, where that can be written down."""
    value, scope = setting.value, setting.scope
    if isinstance(value, ast.Lambda):
        function = _function_passed_through(value)
        return unsafe(replace(value, text_of(module, function))) if function is not None else None
    if isinstance(value, ast.Name):
        return _fix_of_name(module, value, scope)
    if not isinstance(value, ast.Call) or makes_future(module, value, scope):
        return None
    call = module.call_at(value, scope)
    if call.name in _SLEEPS:
        result = call.argument(1, "result")
        return unsafe(replace(value, text_of(module, result) if result is not None else "None"))
    return unsafe(*insert_await(module, value, scope))


def _fix_of_name(module: Module, name: ast.Name, scope: Scope) -> Fix | None:
    bindings = bindings_at(module, name, scope)
    made = bindings[0].value if len(bindings) == 1 else None
    if not isinstance(made, ast.Call) or bindings[0].scope is not scope:
        return None
    if not makes_future(module, made, scope):
        # A coroutine can be awaited once.
        is_read_once = len(loads_of(module, name.id, scope)) == 1 and not is_shared(module, name.id, scope)
        return unsafe(*insert_await(module, name, scope)) if is_read_once else None
    settled = settled_future(module, name, scope)
    result = text_of(module, settled.result) if settled is not None else ""
    if settled is None or "\n" in result or not stands_alone(result):
        return None
    new = replace(name, result)
    if settled.is_read_once:
        return unsafe(new, *remove_statements(module, (settled.made, settled.given), scope))
    return unsafe(new) if isinstance(settled.result, (ast.Constant, ast.Name)) else None


def _function_passed_through(node: ast.Lambda) -> ast.expr | None:
    """`get` of `lambda url, *rest: get(url, *rest)`: what a lambda calls with just what it is called with."""
    call, parameters = node.body, node.args
    if not isinstance(call, ast.Call) or not path_of(call.func) or parameters.defaults or any(parameters.kw_defaults):
        return None
    arguments = [*parameters.posonlyargs, *parameters.args]
    wanted = [argument.arg for argument in arguments]
    wanted += [f"*{parameters.vararg.arg}"] if parameters.vararg is not None else []
    wanted += [f"{argument.arg}={argument.arg}" for argument in parameters.kwonlyargs]
    wanted += [f"**{parameters.kwarg.arg}"] if parameters.kwarg is not None else []
    given = [ast.unparse(argument) for argument in call.args]
    given += [ast.unparse(keyword) for keyword in call.keywords]
    return call.func if given == wanted else None


def _may_be_awaitable(module: Module, setting: MockSetting) -> bool:
    """A cheap look, for most values are literals or mocks."""
    value = setting.value
    if setting.name == SIDE_EFFECT:
        return isinstance(value, ast.Lambda)
    return setting.name == RETURN_VALUE and _may_hold_awaitable(module, value, setting.scope)


def _may_hold_awaitable(module: Module, node: ast.expr, scope: Scope) -> bool:
    if isinstance(node, ast.Call):
        return mocks_of(module).constructed(node, scope) is None
    if not isinstance(node, ast.Name):
        return isinstance(node, ast.Attribute)
    owner = module.names.binding_scope(node.id, scope)
    if owner is None or not any(isinstance(binding, ast.Name) for binding in owner.bindings[node.id]):
        return False
    only = module.names.assigned_value(node.id, owner)
    if isinstance(only, ast.Call):
        return mocks_of(module).constructed(only, owner) is None
    return only is None or isinstance(only, (ast.Name, ast.Attribute))


def _gives_awaitable(module: Module, setting: MockSetting) -> bool:
    judge = awaitability_of_result if setting.name == SIDE_EFFECT else awaitability_of
    return judge(module, setting.value, setting.scope) is Awaitable.YES


def _is_of_async_mock(module: Module, setting: MockSetting) -> bool:
    owners = module.fact(MockSettings).mocks(setting, len(setting.path) - 1)
    if not owners or not all(mock.kind.is_async for mock in owners):
        return False
    if not module.fact(_awaited_in_turn).isdisjoint(owners):
        return False
    return not any(_stands_for_what_gives_awaitable(module, mock) for mock in owners)


def _awaited_in_turn(module: Module) -> set[Mock]:
    """The mocks of which a test awaits what their await gives: `await (await service.start())`."""
    found: set[Mock] = set()
    for node, scope in module.of_kind(ast.Await):
        awaited = [node.value]
        if isinstance(node.value, ast.Call) and module.qualified(node.value.func, scope).startswith("asyncio."):
            awaited = node.value.args
        for each in awaited:
            for value, within in _values_of(module, each, scope):
                if isinstance(value, ast.Await) and isinstance(value.value, ast.Call):
                    found.update(mocks_of(module).at(value.value.func, within))
    return found


def _values_of(module: Module, node: ast.expr, scope: Scope) -> list[tuple[ast.expr | None, Scope]]:
    """An expression; what was assigned, where it is a name."""
    if not isinstance(node, ast.Name):
        return [(node, scope)]
    bindings = bindings_at(module, node, scope)
    return [(binding.value, binding.scope) for binding in bindings if binding.kind is Kind.ASSIGNED]


def _stands_for_what_gives_awaitable(module: Module, mock: Mock) -> bool:
    """Whether a mock replaces `async def start(self) -> asyncio.Task`, of which one awaits what its await gives."""
    return any(
        mock in mocks_of(module).put_there_by(patch) and gives_awaitable(module, patch)
        for patch in mocks_of(module).patches
    )
