"""Which mock an expression is, and what was configured for it, at a place in a function.

Names are followed as in `flow`; what a mock's attributes hold is told by what configures them: assignments to
paths, keywords of the constructor, `configure_mock`, `patch.object` on the mock. Where these cannot be put in
order, or where a function of the file gets the mock and may configure it, nothing is known.
"""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING

from flake8_async_tests.inference.mocks.configuration import Configuration, Setting
from flake8_async_tests.inference.mocks.names import MockNames
from flake8_async_tests.inference.mocks.targets import Target, target_of
from flake8_async_tests.inference.replacing.mock_values import (
    IN_PLACE,
    RETURN_VALUE,
    SIDE_EFFECT,
    Given,
    Mock,
    MockKind,
    Origin,
)
from flake8_async_tests.inference.replacing.patches import (
    Patch,
    attribute_patched,
    constructed,
    keywords_for_mock,
    mock_constructor,
    patch_of,
    patched_parameters,
)
from flake8_async_tests.inference.values.bindings import MAXIMUM_PATH, bound_in
from flake8_async_tests.inference.values.flow import Kind, bindings_at, is_assigned_at
from flake8_async_tests.lazy import lazy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flake8_async_tests.inference.replacing.mock_values import Path
    from flake8_async_tests.inference.values.flow import Binding
    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# How deep one expression is followed into the next.
_DEPTH = 24


def mocks_of(module: Module) -> Mocks:
    """What there is to know of the mocks of a file."""
    return module.fact(Mocks)


class Mocks:
    """The mocks of one file."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self.names = MockNames(module)
        self._seen: dict[ast.expr, tuple[Mock, ...]] = {}
        self._foreign: dict[ast.expr, bool] = {}
        self._origins: dict[ast.expr, Origin | None] = {}
        self._made: dict[tuple[ast.Call, Scope], Origin | None] = {}
        self._patches: dict[ast.Call, Patch | None] = {}
        self._parameters: dict[Scope, dict[str, tuple[ast.Call, Scope]]] = {}
        self._configuration = Configuration(module, self)
        self._depth = 0

    # -- what an expression is ---------------------------------------------------------------------------------------

    def at(self, node: ast.expr, scope: Scope) -> tuple[Mock, ...]:
        """Every mock that an expression may be where it stands; empty when it may be something else."""
        if not self.names.may_hold(node) or self._depth > _DEPTH:
            return ()
        found = self._seen.get(node)
        if found is None:
            if not self._may_be_mock(node, scope):
                return ()
            # Before anything else, so that what configures mocks is read in its own order.
            self._configuration.read(scope)
            # Set before it is worked out, so that `mock = mock.child` in a loop ends.
            self._seen[node] = ()
            self._depth += 1
            found = self._seen[node] = self._value(node, scope)
            self._depth -= 1
        return found

    def _may_be_mock(self, node: ast.expr, scope: Scope) -> bool:
        """Whether what an expression starts from may be bound to a mock: a cheap look, for most are not."""
        while not isinstance(node, ast.Name):
            if isinstance(node, ast.Attribute):
                if node.attr in self.names.attributes and self._may_be_bound(bindings_at(self._module, node, scope)):
                    return True
                node = node.value
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not self.names.makes(node):
                node = node.func
            else:
                return True
        owner = self._module.names.binding_scope(node.id, scope) if node.id in self.names.names else None
        if owner is None:
            return False
        bindings = owner.bindings[node.id]
        if all(isinstance(binding, ast.arg) for binding in bindings):
            return bool(self._parameter(node.id, owner))
        bound = bound_in(self._module, owner).get(node.id, ())
        # Those that are missing here are of comprehensions.
        return len(bound) != len(bindings) or self._may_be_bound(bound)

    def _may_be_bound(self, bindings: Iterable[Binding]) -> bool:
        """Whether something is bound to a mock, as far as the names tell."""
        return any(
            binding.kind is Kind.PARAMETER or any(map(self.names.may_hold, _values_of(binding))) for binding in bindings
        )

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
            return self._by_protocol("__getitem__", node.value, scope)
        if isinstance(node, ast.NamedExpr):
            return self.at(node.value, scope)
        if isinstance(node, ast.IfExp):
            return _all((self.at(node.body, scope), self.at(node.orelse, scope)))
        return ()

    def _call(self, node: ast.Call, scope: Scope) -> tuple[Mock, ...]:
        origin = self.constructed(node, scope)
        if origin is not None:
            return (Mock(origin),)
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
        if isinstance(binding.node, ast.AugAssign):
            return self._by_protocol(IN_PLACE[binding.node.op.__class__], binding.node.target, scope)
        if value is None:
            return ()
        if binding.kind is Kind.ASSIGNED:
            return self.at(value, scope)
        if binding.kind is Kind.ENTERED:
            patch = self.patch(value, scope)
            if patch is not None:
                return self.patched(patch, scope)
            method = "__enter__"
        elif binding.kind is Kind.ENTERED_ASYNC:
            method = "__aenter__"
        elif binding.kind is Kind.ITERATED and isinstance(value, (ast.Tuple, ast.List)):
            return _all(self.at(element, scope) for element in _values_of(binding))
        else:
            return ()
        return self._by_protocol(method, value, scope)

    def _by_protocol(self, method: str, node: ast.expr, scope: Scope) -> tuple[Mock, ...]:
        """What a method of Python's protocols gives of the mocks that an expression may be."""
        called = _all(self.child(mock, method, node, scope) for mock in self.at(node, scope))
        return _all(self._result(mock, node, scope) for mock in called)

    def is_foreign(self, node: ast.expr, scope: Scope) -> bool:
        """Whether an expression certainly is no mock that is known here, nor a part of one."""
        if not self.names.may_hold(node):
            return True
        if self._depth > _DEPTH:
            return False
        found = self._foreign.get(node)
        if found is None:
            self._foreign[node] = False
            self._depth += 1
            found = self._foreign[node] = self._is_foreign(node, scope)
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
        """The patch that an expression is, be it through a name or path (`self.patcher = patch("shop.fetch")`)."""
        if isinstance(node, (ast.Name, ast.Attribute)):
            bindings = bindings_at(self._module, node, scope)
            value = bindings[0].value if len(bindings) == 1 and bindings[0].kind is Kind.ASSIGNED else None
            return self.patch(value, bindings[0].scope) if isinstance(value, ast.Call) else None
        if not isinstance(node, ast.Call):
            return None
        if node not in self._patches:
            may_be = self.names.may_patch(node)
            self._patches[node] = patch_of(self._module, node, scope) if may_be else None
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
        return (Mock(origin),) if origin is not None else ()

    def _made_by(self, patch: Patch, scope: Scope) -> Origin | None:
        kind: MockKind | Callable[[], MockKind]
        if patch.new_callable is not None:
            made = mock_constructor(self._module, patch.new_callable, patch.scope)
            if made is None:
                return None
            kind = made
        elif patch.is_autospecced:
            kind = partial(self._kind_for_autospec, patch)
        elif patch.is_specced:
            kind = MockKind.UNKNOWN
        else:
            kind = partial(self._kind_for_target, patch)
        return Origin(patch.call, scope, kind, is_open=not patch.is_specced, given=keywords_for_mock(patch))

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

    def _kind_for_autospec(self, patch: Patch) -> MockKind:
        """With `autospec=True` the mock of a coroutine function gives a coroutine, too."""
        return MockKind.ASYNC if target_of(self._module, patch).is_coroutine_function else MockKind.UNKNOWN

    def _replaced_child(self, patch: Patch) -> tuple[Mock, ...]:
        if not patch.attribute_name:
            return ()
        mocks = self.at(patch.target, patch.scope)
        return _all(self.child(mock, patch.attribute_name, patch.call, patch.scope) for mock in mocks)

    def put_there_by(self, patch: Patch) -> tuple[Mock, ...]:
        """What a patch puts in the place of its target, whoever gets to see it.

        One that decorates a class makes a mock for each of its tests, and where another decorator stands beside it,
        nobody can tell which argument its mock is: it may be given anything.
        """
        home = self.lives_in(patch)
        getting = self._given_to(patch, home) if patch.new is None else []
        if not all(function.keeps_its_nature for function in getting):
            return ()
        scopes = [function.scope for function in getting] or [home]
        return tuple(mock for scope in scopes for mock in self.patched(patch, scope))

    def _given_to(self, patch: Patch, home: Scope) -> list[Function]:
        """The functions that a decorator gives its mock to: the decorated one, or the tests of the decorated class."""
        if home is not patch.scope:
            function = self._module.function_at(home)
            return [function] if function is not None else []
        if home.is_function:
            # A `with` block, mostly: this is no place for classes of tests.
            return []
        klass = next((each for each in self._module.classes if patch.call in each.node.decorator_list), None)
        methods = klass.methods.items() if klass is not None else ()
        return [method for name, method in methods if name.startswith("test")]

    def patches_around(self, scope: Scope) -> list[Patch]:
        """The patches that stand in the outermost function around a scope, or decorate what is in there."""
        return self._patches_by_function.get(self.scopes_around(scope)[0], [])

    @lazy
    def _patches_by_function(self) -> dict[Scope, list[Patch]]:
        found: dict[Scope, list[Patch]] = {}
        for patch in self.patches:
            found.setdefault(self.scopes_around(self.lives_in(patch))[0], []).append(patch)
        return found

    @lazy
    def patches(self) -> list[Patch]:
        """Every patch of the file, the decorators among them, in its order."""
        return self.patches_where(lambda _: True)

    def patches_where(self, condition: Callable[[ast.Call], bool]) -> list[Patch]:
        """Those whose calls meet a condition; what the others patch is not looked at."""
        calls = self._module.index.calls
        sites = [site for name in sorted(self.names.patchers) for site in calls.get(name, ()) if condition(site[0])]
        found = [patch for patch in (self.patch(call, scope) for call, scope, _ in sites) if patch is not None]
        return sorted(found, key=lambda patch: (patch.call.lineno, patch.call.col_offset))

    def patches_of(self, *attributes: str) -> list[Patch]:
        """Those that replace one of these attributes of an object."""
        return self.patches_where(lambda call: attribute_patched(call) in attributes)

    def lives_in(self, patch: Patch) -> Scope:
        """The scope in which a patch is in force: for a decorator, that of the function."""
        return self._decorated.get(patch.call, patch.scope)

    @lazy
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
            patch = self.patch(setting.value, setting.scope) if isinstance(setting.value, ast.Call) else None
            return self.patched(patch, setting.scope) if patch is not None else self.at(setting.value, setting.scope)
        if setting is Setting.UNKNOWN:
            return ()
        child = mock.child(name) if len(mock.path) < MAXIMUM_PATH else None
        return (child,) if child is not None else ()

    def descendant(self, mock: Mock, path: Path, node: ast.expr, scope: Scope) -> tuple[Mock, ...]:
        found: tuple[Mock, ...] = (mock,)
        for name in path:
            found = _all(self.child(each, name, node, scope) for each in found)
        return found

    def setting(self, mock: Mock, name: str, node: ast.expr, scope: Scope) -> Given | Setting:
        """What an attribute of a mock was set to when a place is reached."""
        return self._configuration.setting(mock, name, node, scope)

    def ever_given(self, mock: Mock, name: str, scope: Scope) -> list[Given | None]:
        """All that an attribute of a mock is given anywhere, seen from a scope; None for what cannot be seen."""
        return self._configuration.ever_given(mock, name, scope)

    def scopes_around(self, scope: Scope) -> list[Scope]:
        """The outermost function around a scope, and all that stands in it."""
        return self._configuration.scopes_around(scope)


def _values_of(binding: Binding) -> list[ast.expr]:
    """What a binding may give: one value, or each element of what a loop goes through."""
    value = binding.value
    if binding.kind is Kind.ITERATED and isinstance(value, (ast.Tuple, ast.List)):
        return value.elts
    return [value] if value is not None else []


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
