"""Which mock an expression is, and what was configured for it, at a place in a function.

Names are followed as in `flow`; what a mock's attributes hold is told by what configures them: assignments to
paths, keywords of the constructor, `configure_mock`, `patch.object` on the mock. Where these cannot be put in
order, or where a function of the file gets the mock and may configure it, nothing is known.
"""

from __future__ import annotations

import ast
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

from flake8_async_tests.inference.flow import Kind, bindings_at, is_assigned_at
from flake8_async_tests.inference.mock_events import Event, Places, When
from flake8_async_tests.inference.mock_ledger import Ledger
from flake8_async_tests.inference.mock_names import MockNames
from flake8_async_tests.inference.mock_values import (
    RETURN_VALUE,
    SIDE_EFFECT,
    Given,
    Mock,
    MockKind,
    Origin,
    child_kind,
)
from flake8_async_tests.inference.patch_targets import Target, target_of
from flake8_async_tests.inference.patches import (
    Patch,
    constructed,
    keywords_for_mock,
    mock_constructor,
    patch_of,
    patched_parameters,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from flake8_async_tests.inference.flow import Binding
    from flake8_async_tests.inference.mock_values import Path
    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# How deep one expression is followed into the next.
_DEPTH = 24


class Setting(Enum):
    """What is known of a value that is not to be seen."""

    NONE = "nothing was given"
    UNKNOWN = "something may have been given"


def mocks_of(module: Module) -> Mocks:
    """What there is to know of the mocks of a file."""
    return module.fact(Mocks)


class Mocks:
    """The mocks of one file."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self.names = MockNames(module)
        self.places = Places(module)
        self._seen: dict[ast.expr, tuple[Mock, ...]] = {}
        self._origins: dict[ast.expr, Origin | None] = {}
        self._made: dict[tuple[ast.Call, Scope], Origin | None] = {}
        self._patches: dict[ast.Call, Patch | None] = {}
        self._ledgers: dict[Scope, Ledger] = {}
        self._outermost: dict[Scope, Scope] = {}
        self._parameters: dict[Scope, dict[str, tuple[ast.Call, Scope]]] = {}
        self._depth = 0

    # -- what an expression is ---------------------------------------------------------------------------------------

    def at(self, node: ast.expr, scope: Scope) -> tuple[Mock, ...]:
        """Every mock that an expression may be where it stands; empty when it may be something else."""
        if not self.names.may_hold(node) or self._depth > _DEPTH:
            return ()
        found = self._seen.get(node)
        if found is None:
            # Before anything else, so that what configures mocks is read in its own order.
            self.ledger(self._root(scope))
            # Set before it is worked out, so that `mock = mock.child` in a loop ends.
            self._seen[node] = ()
            self._depth += 1
            found = self._seen[node] = self._value(node, scope)
            self._depth -= 1
        return found

    def _value(self, node: ast.expr, scope: Scope) -> tuple[Mock, ...]:
        if isinstance(node, ast.Name):
            return self._bound(bindings_at(self._module, node, scope))
        if isinstance(node, ast.Attribute):
            bases = self.at(node.value, scope)
            if bases:
                return _all(self.child(base, node.attr, node, scope) for base in bases)
            return self._bound(bindings_at(self._module, node, scope))
        if isinstance(node, ast.Call):
            return self._call(node, scope)
        if isinstance(node, ast.Await) and isinstance(node.value, ast.Call):
            return self._given_back(node.value, scope, is_awaited=True)
        if isinstance(node, ast.Subscript):
            return _all(
                self.descendant(base, ("__getitem__", RETURN_VALUE), node, scope) for base in self.at(node.value, scope)
            )
        if isinstance(node, ast.NamedExpr):
            return self.at(node.value, scope)
        if isinstance(node, ast.IfExp):
            return _all((self.at(node.body, scope), self.at(node.orelse, scope)))
        return ()

    def _call(self, node: ast.Call, scope: Scope) -> tuple[Mock, ...]:
        origin = self.constructed(node, scope)
        if origin is not None:
            return (Mock(origin, (), origin.kind),)
        patch = self._entered_patch(node, scope)
        if patch is not None:
            return self.patched(patch, scope)
        return self._given_back(node, scope, is_awaited=False)

    def constructed(self, node: ast.Call, scope: Scope) -> Origin | None:
        """The mock that a call of a mock's class makes."""
        if node not in self._origins:
            self._origins[node] = constructed(self._module, node, scope)
        return self._origins[node]

    def _given_back(self, call: ast.Call, scope: Scope, *, is_awaited: bool) -> tuple[Mock, ...]:
        """What the call of a mock gives, or the await of it."""
        called = self.at(call.func, scope)
        if not all(mock.kind.is_async if is_awaited else mock.kind.is_sync for mock in called):
            return ()
        return _all(self._result(mock, call, scope) for mock in called)

    def _result(self, mock: Mock, node: ast.expr, scope: Scope) -> tuple[Mock, ...]:
        if self.setting(mock, SIDE_EFFECT, node, scope) is not Setting.NONE:
            return ()
        return self.child(mock, RETURN_VALUE, node, scope)

    def _bound(self, bindings: Iterable[Binding]) -> tuple[Mock, ...]:
        return _all(self._of_binding(binding) for binding in bindings)

    def _of_binding(self, binding: Binding) -> tuple[Mock, ...]:
        value, scope = binding.value, binding.scope
        if binding.kind is Kind.PARAMETER:
            assert isinstance(binding.node, ast.arg)
            return self._parameter(binding.node.arg, scope)
        if value is None:
            return ()
        if binding.kind is Kind.ASSIGNED:
            return self.at(value, scope)
        if binding.kind is Kind.ENTERED:
            patch = self.patch(value, scope)
            if patch is not None:
                return self.patched(patch, scope)
            path: Path = ("__enter__", RETURN_VALUE)
        elif binding.kind is Kind.ENTERED_ASYNC:
            path = ("__aenter__", RETURN_VALUE)
        elif binding.kind is Kind.ITERATED and isinstance(value, (ast.Tuple, ast.List)):
            return _all(self.at(element, scope) for element in value.elts)
        else:
            return ()
        return _all(self.descendant(mock, path, value, scope) for mock in self.at(value, scope))

    def is_foreign(self, node: ast.expr, scope: Scope) -> bool:
        """Whether an expression certainly is no mock that is known here, nor a part of one."""
        if not self.names.may_hold(node):
            return True
        if self._depth > _DEPTH:
            return False
        self._depth += 1
        found = self._is_foreign(node, scope)
        self._depth -= 1
        return found

    def _is_foreign(self, node: ast.expr, scope: Scope) -> bool:
        if isinstance(node, ast.Attribute):
            mocks = self.at(node.value, scope)
            settings = [self.setting(mock, node.attr, node, scope) for mock in mocks]
            if settings:
                return all(isinstance(each, Given) and self.is_foreign(each.value, each.scope) for each in settings)
            if is_assigned_at(self._module, node, scope):
                return self._are_foreign(bindings_at(self._module, node, scope))
            return self.is_foreign(node.value, scope)
        if isinstance(node, ast.Name):
            return self._are_foreign(bindings_at(self._module, node, scope))
        if isinstance(node, ast.Call):
            return self.is_foreign(node.func, scope)
        return False

    def _are_foreign(self, bindings: tuple[Binding, ...]) -> bool:
        return bool(bindings) and all(
            not self._of_binding(binding) if binding.value is None else self.is_foreign(binding.value, binding.scope)
            for binding in bindings
        )

    # -- patches -----------------------------------------------------------------------------------------------------

    def patch(self, node: ast.expr, scope: Scope) -> Patch | None:
        """The patch that an expression is, be it through a name (`patcher = patch("shop.fetch")`)."""
        if isinstance(node, ast.Name):
            bindings = bindings_at(self._module, node, scope)
            value = bindings[0].value if len(bindings) == 1 and bindings[0].kind is Kind.ASSIGNED else None
            return self.patch(value, bindings[0].scope) if isinstance(value, ast.Call) else None
        if not isinstance(node, ast.Call):
            return None
        if node not in self._patches:
            self._patches[node] = patch_of(self._module, node, scope)
        return self._patches[node]

    def _entered_patch(self, node: ast.Call, scope: Scope) -> Patch | None:
        """The patch whose mock a call gives: pytest-mock's own ones, `.start()`, `enter_context(..)`."""
        function = node.func
        if not isinstance(function, ast.Attribute):
            return None
        if function.attr == "start" and not node.args:
            return self.patch(function.value, scope)
        if function.attr in ("enter_context", "enterContext") and len(node.args) == 1:
            return self.patch(node.args[0], scope)
        # unittest's `patch` makes a patcher, and only pytest-mock's gives the mock at once.
        patch = self.patch(node, scope) if not self._module.qualified(function, scope) else None
        return patch if patch is not None and patch.makes_mock else None

    def patched(self, patch: Patch, scope: Scope) -> tuple[Mock, ...]:
        """What a patch puts in the place of its target, for a mock that lives in a scope."""
        if patch.new is not None:
            return self.at(patch.new, patch.scope)
        key = (patch.call, scope)
        if key not in self._made:
            self._made[key] = self._made_by(patch, scope)
        origin = self._made[key]
        return (Mock(origin, (), origin.kind),) if origin is not None else ()

    def _made_by(self, patch: Patch, scope: Scope) -> Origin | None:
        if not patch.makes_mock:
            return None
        if patch.new_callable is not None:
            kind = mock_constructor(self._module, patch.new_callable, patch.scope)
        elif patch.is_specced:
            kind = MockKind.UNKNOWN
        else:
            kind = self._kind_for_target(patch)
        if kind is None:
            return None
        return Origin(patch.call, scope, kind, not patch.is_specced, given=keywords_for_mock(patch))

    def _kind_for_target(self, patch: Patch) -> MockKind:
        """Without being told, `patch` makes an AsyncMock for a coroutine function and a MagicMock for the rest."""
        replaced = self._replaced_child(patch)
        if replaced:
            if all(mock.kind.is_async for mock in replaced):
                return MockKind.ASYNC
            return MockKind.MAGIC if all(mock.kind.is_sync for mock in replaced) else MockKind.UNKNOWN
        target = target_of(self._module, patch)
        if target is Target.UNKNOWN:
            return MockKind.UNKNOWN
        return MockKind.ASYNC if target.is_coroutine_function else MockKind.MAGIC

    def _replaced_child(self, patch: Patch) -> tuple[Mock, ...]:
        if not patch.attribute_name:
            return ()
        mocks = self.at(patch.target, patch.scope)
        return _all(self.child(mock, patch.attribute_name, patch.call, patch.scope) for mock in mocks)

    def put_there_by(self, patch: Patch) -> tuple[Mock, ...]:
        """The mock that a patch puts in the place of its target, whoever gets to see it."""
        return self.patched(patch, self.lives_in(patch))

    def patches_in(self, scopes: Collection[Scope]) -> list[Patch]:
        """The patches that stand in these scopes, or decorate them."""
        return [patch for patch in self.patches if self.lives_in(patch) in scopes]

    @cached_property
    def patches(self) -> list[Patch]:
        """Every patch of the file, the decorators among them, in its order."""
        calls = self._module.index.calls
        pairs = [pair for name in ("setattr", *sorted(self.names.makers)) for pair in calls.get(name, ())]
        found = [patch for patch in (self.patch(call, scope) for call, scope in pairs) if patch is not None]
        return sorted(found, key=lambda patch: (patch.call.lineno, patch.call.col_offset))

    def lives_in(self, patch: Patch) -> Scope:
        """The scope in which a patch is in force: for a decorator, that of the function."""
        return self._decorated.get(patch.call, patch.scope)

    @cached_property
    def _decorated(self) -> dict[ast.AST, Scope]:
        return {
            decorator: scope
            for scope in self._module.index.scopes
            if isinstance(scope.node, (ast.FunctionDef, ast.AsyncFunctionDef))
            for decorator in scope.node.decorator_list
        }

    def _parameter(self, name: str, scope: Scope) -> tuple[Mock, ...]:
        function = self._module.function_at(scope)
        if function is None:
            return ()
        if scope not in self._parameters:
            self._parameters[scope] = patched_parameters(function)
        call, outer = self._parameters[scope].get(name, (None, scope))
        patch = self.patch(call, outer) if call is not None else None
        return self.patched(patch, scope) if patch is not None else ()

    # -- children ----------------------------------------------------------------------------------------------------

    def child(self, mock: Mock, name: str, node: ast.expr, scope: Scope) -> tuple[Mock, ...]:
        """The mock that an attribute of a mock is at a place."""
        setting = self.setting(mock, name, node, scope)
        if isinstance(setting, Given):
            if _is_configured_further(mock, setting):
                return ()
            patch = self.patch(setting.value, setting.scope) if setting.node is setting.value else None
            return self.patched(patch, setting.scope) if patch is not None else self.at(setting.value, setting.scope)
        if setting is Setting.UNKNOWN:
            return ()
        kind = child_kind(mock, name)
        return (Mock(mock.origin, (*mock.path, name), kind),) if kind is not None else ()

    def descendant(self, mock: Mock, path: Path, node: ast.expr, scope: Scope) -> tuple[Mock, ...]:
        found: tuple[Mock, ...] = (mock,)
        for name in path:
            found = _all(self.child(each, name, node, scope) for each in found)
        return found

    def setting(self, mock: Mock, name: str, node: ast.expr, scope: Scope) -> Given | Setting:
        """What an attribute of a mock was set to when a place is reached."""
        path = (*mock.path, name)
        current: Given | Setting = Setting.UNKNOWN if self._runs_later(mock, scope) else Setting.NONE
        for given in mock.origin.given:
            if given.path == path:
                current = given
        for event, when in self._events(mock.origin, path, node, scope):
            if when is When.NEVER:
                continue
            if event.origin is not None and len(event.path) < len(path):
                # Something may have configured it there. What was set or used before still counts.
                if current is Setting.NONE and not self._is_used_before(mock, node, event, scope):
                    current = Setting.UNKNOWN
            elif when is When.PERHAPS or event.given is None:
                current = Setting.UNKNOWN
            else:
                current = event.given
        return Setting.NONE if isinstance(current, Given) and _is_no_effect(current) else current

    def _runs_later(self, mock: Mock, scope: Scope) -> bool:
        """Whether a scope is one that a fixture or helper hands out with the mock, which others may configure."""
        root = self._root(scope)
        if scope is root or mock.origin.scope is scope:
            return False
        return self._module.test_of(self._module.function_at(root)) is None

    def ever_given(self, mock: Mock, name: str, scope: Scope) -> list[Given | None]:
        """All that an attribute of a mock is given anywhere, seen from a scope; None for what cannot be seen."""
        path = (*mock.path, name)
        found: list[Given | None] = [given for given in mock.origin.given if given.path == path]
        for root in self._roots(mock.origin, self._root(scope)):
            found += [event.given for event in self.ledger(root).of(mock.origin, path)]
        return [given for given in found if given is None or not _is_no_effect(given)]

    def _is_used_before(self, mock: Mock, node: ast.expr, event: Event, scope: Scope) -> bool:
        """Whether the same attribute was already looked at when the mock was handed to something."""
        shape, root = _shape(node)
        if root is None or event.scope is not scope:
            return False
        return any(
            name.id == root.id
            and (name.lineno, name.col_offset) < event.end
            and _has_shape(name, shape, scope)
            and any(each.origin is mock.origin for each in self.at(name, scope))
            for name in scope.loads
        )

    def _events(self, origin: Origin, path: Path, node: ast.expr, scope: Scope) -> Iterator[tuple[Event, When]]:
        """What may have configured a path or what it is a part of, in the order of the file."""
        own = self._root(scope)
        for root in self._roots(origin, own):
            ledger = self.ledger(root)
            for event in ledger.of(origin, path):
                yield event, self._when(event, origin, root, node, scope)

    def _when(self, event: Event, origin: Origin, root: Scope, node: ast.expr, scope: Scope) -> When:
        if root is self._root(scope):
            return self.places.when(event, node, scope)
        lives_there = root is self._root(origin.scope) and event.scope is root
        return When.BEFORE if lives_there and self.places.is_certain(event) else When.PERHAPS

    def _roots(self, origin: Origin, own: Scope) -> list[Scope]:
        """The outermost functions in which a mock may have been configured, the one that is asked from last."""
        home = self._root(origin.scope)
        if home is own:
            return [own]
        others = self._reaching_module if home is self._module.scope else self._reaching_instances(home)
        return [home, *(root for root in others if root is not home and root is not own), own]

    def ledger(self, root: Scope) -> Ledger:
        """What configures mocks in a function and in those within it."""
        found = self._ledgers.get(root)
        if found is None:
            found = self._ledgers[root] = Ledger()
            found.fill(self._module, self, self._scopes_by_root.get(root, [root]))
        return found

    def _root(self, scope: Scope) -> Scope:
        found = self._outermost.get(scope)
        if found is None:
            found = self._outermost[scope] = _outermost(scope)
        return found

    @cached_property
    def _scopes_by_root(self) -> dict[Scope, list[Scope]]:
        found: dict[Scope, list[Scope]] = {}
        for scope in self._module.index.scopes:
            found.setdefault(self._root(scope), []).append(scope)
        return found

    @cached_property
    def _reaching_module(self) -> list[Scope]:
        """The functions that may configure a mock of the module."""
        shared = {name for name in self._module.scope.bindings if name in self.names.names}
        return [
            root
            for root, scopes in self._scopes_by_root.items()
            if any(name.id in shared for scope in scopes for name in scope.loads)
        ]

    def _reaching_instances(self, home: Scope) -> list[Scope]:
        """The methods besides tests that may configure what one of them gave to `self`."""
        function = self._module.function_at(home)
        if function is None or function.klass is None:
            return []
        return [method.scope for method in self._methods_around(function) if not method.name.startswith("test")]

    def _methods_around(self, function: Function) -> Iterator[Function]:
        assert function.klass is not None
        for klass in (*function.klass.lineage, *function.klass.subclasses):
            yield from klass.methods.values()

    def scopes_around(self, scope: Scope) -> list[Scope]:
        """The outermost function around a scope, and all that stands in it."""
        return self._scopes_by_root.get(self._root(scope), [scope])


def _all(parts: Iterable[tuple[Mock, ...]]) -> tuple[Mock, ...]:
    """Everything that may be, nothing as soon as one part is not known."""
    found: list[Mock] = []
    for part in parts:
        if not part:
            return ()
        found += part
    return tuple(dict.fromkeys(found))


def _is_configured_further(mock: Mock, setting: Given) -> bool:
    """`MagicMock(get=MagicMock(), **{"get.return_value": 3})`: what one keyword gives is told more by another."""
    path = setting.path
    if setting not in mock.origin.given:
        return False
    return any(len(given.path) > len(path) and given.path[: len(path)] == path for given in mock.origin.given)


def _is_no_effect(given: Given) -> bool:
    """`side_effect=None`, which is what a mock has anyway."""
    return given.path[-1] == SIDE_EFFECT and isinstance(given.value, ast.Constant) and given.value.value is None


def _shape(node: ast.AST) -> tuple[list[str], ast.Name | None]:
    """The attributes and calls from a name up to an expression, and the name."""
    steps: list[str] = []
    while isinstance(node, (ast.Attribute, ast.Call)):
        inner = node.value if isinstance(node, ast.Attribute) else node.func
        steps.append(_step(node, inner))
        node = inner
    return steps[::-1], node if isinstance(node, ast.Name) else None


def _has_shape(name: ast.Name, shape: list[str], scope: Scope) -> bool:
    """Whether these attributes and calls stand behind a name."""
    at: ast.AST = name
    for step in shape:
        parent = scope.parents[at]
        if _step(parent, at) != step:
            return False
        at = parent
    return True


def _step(node: ast.AST, inner: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return "()" if isinstance(node, ast.Call) and node.func is inner else ""


def _outermost(scope: Scope) -> Scope:
    """The outermost function around a scope; for what stands in no function, the module or class."""
    found = scope
    at: Scope | None = scope
    while at is not None:
        if at.is_function:
            found = at
        at = at.parent
    return found
