"""AT105: an asynchronous unittest hook where unittest does not look for one, or not for that one."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.calls import receiver_of
from flake8_async_tests.source.functions import ClassKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.functions import Class, Function
    from flake8_async_tests.source.module import Module

_HOOKS = frozenset({"asyncSetUp", "asyncTearDown"})
_NO_HOOKS = {"asyncSetUpClass": "setUpClass", "asyncTearDownClass": "tearDownClass"}


@rule("AT105", "misplaced-async-hook", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    if not module.matches_python_files:
        return
    for function in module.functions:
        if function.name not in _HOOKS and function.name not in _NO_HOOKS:
            continue
        klass = function.klass
        if klass is None or module.is_fixture(function) or not function.keeps_its_nature:
            continue
        users = klass.collected_users_of(function)
        if users and all(user.kind is not ClassKind.UNKNOWN for user in users):
            message = _misplaced(function, users)
            if message:
                yield Finding(function.node, message)


def _misplaced(function: Function, users: tuple[Class, ...]) -> str:
    kinds = {user.kind for user in users}
    if function.name in _NO_HOOKS:
        if kinds == {ClassKind.PLAIN} or _is_called_by_hand(function):
            return ""
        sync = _NO_HOOKS[function.name]
        return f"{function.name} is no hook of unittest and never called (use {sync} with asyncio.run in it)"
    if ClassKind.ISOLATED in kinds:
        if function.is_async:
            return ""
        return f"{function.name} is not async, so every test of {users[0].name} fails (make it async def)"
    if _is_called_by_hand(function):
        return ""
    if ClassKind.TESTCASE in kinds:
        because = f"{users[0].name} is a plain TestCase"
    else:
        because = f"{users[0].name} is no unittest class"
    return f"{function.name} is never called: {because} (inherit from unittest.IsolatedAsyncioTestCase)"


def _is_called_by_hand(function: Function) -> bool:
    """Whether some code of the file calls it, other than an overriding one that passes the call on."""
    for call in function.module.method_calls(function.name):
        receiver = receiver_of(call.node)
        is_super = (
            isinstance(receiver, ast.Call) and isinstance(receiver.func, ast.Name) and receiver.func.id == "super"
        )
        if not is_super:
            return True
    return False
