"""What a fixture has started and not ended when the test runs: tasks and servers, which need its loop to go on."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.loops.known import loop_calls
from flake8_async_tests.inference.places.before_test import CONDITIONS, BeforeTest
from flake8_async_tests.inference.places.parts import place_of
from flake8_async_tests.inference.tasks.known import is_task_of_group, started_or_gathered
from flake8_async_tests.inference.values.flow import bindings_at
from flake8_async_tests.lazy import lazy
from flake8_async_tests.source.module import is_within

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_SERVERS = (
    "asyncio.start_server",
    "asyncio.start_unix_server",
    "websockets.asyncio.server.serve",
    "websockets.serve",
    "websockets.server.serve",
)
_STARTABLE = frozenset(
    {
        "aiohttp.test_utils.TestServer",
        "aiohttp.web.NamedPipeSite",
        "aiohttp.web.SockSite",
        "aiohttp.web.TCPSite",
        "aiohttp.web.UnixSite",
    }
)
_ENDING = frozenset({"cancel", "close"})
_DISPLAYS = (ast.Dict, ast.List, ast.Set, ast.Starred, ast.Tuple)
# What they give back ends when those tasks end that they are given.
_WAITING = frozenset({"asyncio.gather", "asyncio.shield", "asyncio.wait", "asyncio.wait_for"})


class KeptRunning:
    """What one async fixture keeps running."""

    def __init__(self, fixture: Fixture) -> None:
        self._module = fixture.module
        self._scope = fixture.function.scope
        self._before_test = BeforeTest(fixture)

    def has_task(self) -> bool:
        starts = self._module.fact(_tasks_by_scope).get(self._scope, ())
        return any(self._is_kept(call.node) for call in starts)

    def has_server(self) -> bool:
        # A server is there when its call has been awaited; a task is over then.
        starts = self._module.fact(_servers_by_scope).get(self._scope, ())
        return any(self._is_kept(self._awaited(call.node)) for call in starts)

    def _awaited(self, call: ast.Call) -> ast.expr:
        parent = self._scope.parents.get(call)
        return parent if isinstance(parent, ast.Await) else call

    def _is_kept(self, start: ast.expr) -> bool:
        """Whether what an expression starts is still there when the test runs."""
        if not self._before_test.may_hold(start):
            return False
        return not self._is_conditional_or_left(start) and not self._is_seen_to(start)

    # -- blocks ---------------------------------------------------------------------------------------------------

    def _is_conditional_or_left(self, start: ast.expr) -> bool:
        """Whether it stands under a condition, or in a block that the fixture leaves before it yields."""
        for ancestor in self._module.ancestors(start, self._scope):
            if isinstance(ancestor, CONDITIONS):
                return True
            if isinstance(ancestor, (ast.With, ast.AsyncWith)) and self._ends_with(ancestor, start):
                return True
        return False

    def _ends_with(self, block: ast.With | ast.AsyncWith, start: ast.expr) -> bool:
        """Whether the fixture leaves a block before it yields, and the thing with it."""
        if not self._before_test.ends(block):
            return False
        # A group waits for its tasks, and what is entered is closed; anything else outlives the block.
        return is_task_of_group(self._module, start, self._scope) or not is_within(start, block.body)

    # -- names ----------------------------------------------------------------------------------------------------

    def _is_seen_to(self, start: ast.expr) -> bool:
        """Whether the fixture waits for it, or ends it, before the test runs."""
        statement: ast.AST = start
        names: set[str] = set()
        while not isinstance(statement, ast.stmt):
            statement = self._scope.parents[statement]
            if isinstance(statement, ast.Await):
                return True
            names |= _names_given_by(statement)
        place = place_of(statement)
        return any(
            place < place_of(load) and self._before_test.may_hold(load) and self._ends(load)
            for name in self._names_reached_from(names)
            for load in self._loads.get(name, ())
        )

    def _names_reached_from(self, names: set[str]) -> set[str]:
        """Some names, and those that get what stands under them, a part of it, or a collection that holds it."""
        found: set[str] = set()
        todo = names
        while todo:
            found |= todo
            todo = {further for name in todo for further in self._names_given(name)} - found
        return found

    def _names_given(self, name: str) -> set[str]:
        """`tasks.append(task)`, `for task in tasks`: the names that get what stands under one, or a part of it."""
        found = set(self._names_of_elements.get(name, ()))
        for load in self._loads.get(name, ()):
            parent = self._scope.parents[load]
            while isinstance(parent, _DISPLAYS) or self._waits(parent):
                parent = self._scope.parents[parent]
            found |= _names_given_by(parent)
        return found

    def _waits(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and self._module.qualified(node.func, self._scope) in _WAITING

    @lazy
    def _loads(self) -> dict[str, list[ast.Name]]:
        found: dict[str, list[ast.Name]] = {}
        for load in self._scope.loads:
            found.setdefault(load.id, []).append(load)
        return found

    @lazy
    def _names_of_elements(self) -> dict[str, set[str]]:
        """`for task in tasks`: the names that the elements of a collection get one after another."""
        found: dict[str, set[str]] = {}
        for loop in self._scope.of(ast.For, ast.AsyncFor, ast.comprehension):
            assert isinstance(loop, (ast.For, ast.AsyncFor, ast.comprehension))
            for name in _names_in(loop.iter):
                found.setdefault(name, set()).update(_names_in(loop.target))
        return found

    def _ends(self, name: ast.Name) -> bool:
        parent = self._scope.parents[name]
        if isinstance(parent, ast.Attribute) and (parent.attr in _ENDING or self._is_asked_again_and_again(parent)):
            return True
        if isinstance(parent, ast.withitem):
            block = self._scope.parents[parent]
            assert isinstance(block, (ast.With, ast.AsyncWith))
            return self._before_test.ends(block)
        return any(isinstance(ancestor, ast.Await) for ancestor in self._module.ancestors(name, self._scope))

    def _is_asked_again_and_again(self, attribute: ast.Attribute) -> bool:
        """Whether a loop goes on until something is done: `while not task.done()`."""
        node: ast.AST = attribute
        for ancestor in self._module.ancestors(attribute, self._scope) if attribute.attr == "done" else ():
            if isinstance(ancestor, ast.While):
                return node is ancestor.test
            node = ancestor
        return False


def _names_given_by(node: ast.AST) -> set[str]:
    """The names that get what stands in a node, or a collection of which it becomes a part."""
    if isinstance(node, ast.Assign):
        return {name for target in node.targets for name in _names_in(target)}
    if isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)):
        return _names_in(node.target)
    if isinstance(node, ast.withitem):
        return _names_in(node.optional_vars) if node.optional_vars is not None else set()
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        # `tasks.append(create_task(..))`
        return _names_in(node.func.value)
    return set()


def _names_in(node: ast.expr) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


# -- what is started in a file ----------------------------------------------------------------------------------------


def _tasks_by_scope(module: Module) -> dict[Scope, list[Call]]:
    of_groups = (call for call in module.method_calls("create_task") if is_task_of_group(module, call.node, call.scope))
    return _by_scope((*started_or_gathered(module, lambda call: call.scope.is_function), *of_groups))


def _servers_by_scope(module: Module) -> dict[Scope, list[Call]]:
    found = [*module.calls(*_SERVERS), *loop_calls(module, "create_server", "create_unix_server")]
    found += (call for call in module.method_calls("start", "start_server") if _starts_server(call))
    return _by_scope(found)


def _starts_server(call: Call) -> bool:
    assert isinstance(call.node.func, ast.Attribute)
    bindings = bindings_at(call.module, call.node.func.value, call.scope)
    return bool(bindings) and all(
        isinstance(binding.value, ast.Call) and call.module.qualified(binding.value.func, binding.scope) in _STARTABLE
        for binding in bindings
    )


def _by_scope(calls: Iterable[Call]) -> dict[Scope, list[Call]]:
    found: dict[Scope, list[Call]] = {}
    for call in calls:
        found.setdefault(call.scope, []).append(call)
    return found
