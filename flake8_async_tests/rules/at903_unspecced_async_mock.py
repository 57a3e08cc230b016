"""AT903: an AsyncMock that takes any call and says nothing certain."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.clients.constructions import ENTERING_METHODS
from flake8_async_tests.inference.mocks.configured import ITEM, ConfiguredPaths
from flake8_async_tests.inference.replacing.patches import is_mocker
from flake8_async_tests.inference.values.bindings import leaves_of, path_of
from flake8_async_tests.inference.values.parametrized import receivers_of
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.calls import receiver_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.functions import Class
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

MOCKS = ("unittest.mock.AsyncMock", "unittest.mock.MagicMock", "unittest.mock.Mock", "unittest.mock.NonCallableMock")
HOLDERS = (ast.Dict, ast.DictComp, ast.List, ast.ListComp, ast.Tuple)
PATCHES = frozenset({"unittest.mock.patch", "unittest.mock.patch.object"})
PATCHING_METHODS = frozenset({"object", "patch"})
# `client or AsyncMock()`
CHOICES = (ast.BoolOp, ast.IfExp)
# A mock that is given to one of these, or stands in one, is reached through what comes of that.
PASSING = (ast.Await, ast.Call, ast.keyword, ast.Starred, *HOLDERS)


@rule("AT903", "unspecced-async-mock", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    for call in _async_mocks(module):
        if call.node.args or any(keyword.arg != "name" for keyword in call.node.keywords):
            continue
        if not _may_get_behaviour(module, call):
            yield Finding(
                call.node,
                "AsyncMock() without a spec accepts any attribute and any call, misspelt ones too"
                " (give it spec=, or what it is to return)",
            )


def _async_mocks(module: Module) -> Iterator[Call]:
    yield from module.calls("unittest.mock.AsyncMock")
    # pytest-mock's fixture has it as an attribute.
    for call in module.method_calls("AsyncMock"):
        receiver = receiver_of(call.node)
        if receiver is not None and is_mocker(module, receiver, call.scope):
            yield call


def _may_get_behaviour(module: Module, call: Call) -> bool:
    """Whether something is set on the mock, or on a child of it, under a name that it gets."""
    if isinstance(call.scope.node, ast.Lambda):
        return _may_be_configured_by_users(module, call)
    if _is_configured_in_its_place(module, call) or _is_configured_as_parameter(module, call):
        return True
    node, below = _held_by(module, call)
    if isinstance(call.scope.parents[node], (ast.Return, ast.Yield)):
        return _may_be_configured_as_part(module, below) if below else _may_be_configured_by_users(module, call)
    for path in filter(None, map(_path_of_target, _targets_of(node, call.scope.parents))):
        path += below
        if _is_configured(module, path, call.scope):
            return True
        if _is_handed_out(path, call.scope) and _may_be_configured_by_users(module, call):
            return True
        if _is_part_of_what_is_handed_out(path, call.scope) and _may_be_configured_as_part(module, path):
            return True
    return False


def _held_by(module: Module, call: Call) -> tuple[ast.AST, str]:
    """What has the mock in it where it is made, such as another mock, and the attributes that lead from there to it."""
    parents = call.scope.parents
    below = ""
    node: ast.AST = call.node
    parent = parents[node]
    while isinstance(parent, (ast.keyword, ast.Call, *HOLDERS, *CHOICES)):
        if isinstance(parent, ast.Tuple) and isinstance(parents[parent], ast.Assign):
            # `send, store = AsyncMock(), AsyncMock()`: it has a name of its own.
            break
        if isinstance(parent, (ast.keyword, ast.Call)):
            # `patch("shop.send", AsyncMock())` gives the mock itself, `Mock(send=AsyncMock())` has it below.
            keyword = parent.arg if isinstance(parent, ast.keyword) else None
            around = parents[parent] if isinstance(parent, ast.keyword) else parent
            assert isinstance(around, ast.Call)
            if module.qualified(around.func, call.scope) in MOCKS and isinstance(parent, ast.keyword):
                below = f".{keyword}{below}" if keyword else ""
            elif not _patches(module, around, call.scope) and not _enters(around):
                break
            parent = around
        # `mocks = {"send": AsyncMock()}`: it is reached through what holds it.
        node, parent = parent, parents[parent]
    return node, below


def _enters(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in ENTERING_METHODS


def _targets_of(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> list[ast.expr]:
    """What a value is assigned to, or entered as."""
    parent = parents[node]
    if isinstance(parent, ast.withitem):
        return [parent.optional_vars] if parent.optional_vars is not None else []
    if isinstance(parent, (ast.AnnAssign, ast.NamedExpr)):
        return [parent.target]
    if isinstance(parent, ast.Assign):
        return parent.targets
    if isinstance(parent, ast.Tuple) and isinstance(assignment := parents[parent], ast.Assign):
        leaves = (leaf for target in assignment.targets for leaf in leaves_of(target, parent))
        return [target for target, value in leaves if value is node]
    return []


def _path_of_target(target: ast.expr) -> str:
    """The path of what is assigned to, or of the items of what has it as one: `mocks["send"] = AsyncMock()`."""
    if isinstance(target, ast.Subscript) and path_of(target.value):
        return f"{path_of(target.value)}.{ITEM}"
    return path_of(target)


def _is_configured_in_its_place(module: Module, call: Call) -> bool:
    """Whether something is set on it through an object that is made with it, or a name that is patched with it."""
    configured = module.fact(ConfiguredPaths)
    parents = call.scope.parents
    node: ast.AST = call.node
    parent = parents[node]
    is_given_away = False
    while isinstance(parent, PASSING):
        if isinstance(parent, ast.Call):
            if _is_set_on_replaced(module, parent, call.scope):
                return True
            is_given_away = is_given_away or not (
                module.qualified(parent.func, call.scope) in MOCKS or _patches(module, parent, call.scope)
            )
        node, parent = parent, parents[parent]
    if not is_given_away:
        return False
    if isinstance(parent, (ast.Return, ast.Yield)):
        function = module.function_at(call.scope)
        fixture = module.fixture_of(function) if function is not None else None
        return fixture is not None and configured.on_an_attribute(fixture.name)
    paths = map(path_of, _targets_of(node, parents))
    return any(configured.on_an_attribute_around(path, call.scope) for path in paths)


def _is_configured_as_parameter(module: Module, call: Call) -> bool:
    """Whether it is one of the values of `parametrize` or of a fixture's `params`, and who gets it sets something."""
    configured = module.fact(ConfiguredPaths)
    parents = call.scope.parents
    node = parents[call.node]
    while isinstance(node, PASSING):
        for receiver in receivers_of(module, node):
            if receiver.function is None:
                is_set = configured.anywhere(receiver.path)
            else:
                is_set = configured.around(receiver.path, receiver.function.scope)
            fixture = receiver.fixture
            if is_set or (fixture is not None and (module.is_conftest or configured.anywhere(fixture.name))):
                return True
        node = parents[node]
    return False


def _is_set_on_replaced(module: Module, call: ast.Call, scope: Scope) -> bool:
    """Whether a call patches something on which something is set by its own name: `shop.send.return_value = 1`."""
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if method != "setattr" and not _patches(module, call, scope):
        return False
    configured = module.fact(ConfiguredPaths)
    match call.args:
        case [ast.Constant(value=str(target)), *_]:
            return configured.of_imported(target, scope)
        case [owner, ast.Constant(value=str(name)), *_]:
            qualified = f"{module.qualified(owner, scope)}.{name}"
            return configured.of_imported(qualified, scope) or configured.around(f"{path_of(owner)}.{name}", scope)
    return False


def _patches(module: Module, call: ast.Call, scope: Scope) -> bool:
    is_method = isinstance(call.func, ast.Attribute) and call.func.attr in PATCHING_METHODS
    return is_method or module.qualified(call.func, scope) in PATCHES


def _is_configured(module: Module, path: str, scope: Scope) -> bool:
    configured = module.fact(ConfiguredPaths)
    if scope.is_function and _is_local(module, path, scope):
        return configured.around(path, scope)
    if configured.anywhere(path):
        return True
    # What makes an instance of the class has that by another name, and so have the tests of a class what it has itself.
    is_of_class = scope.is_class or _is_class_method(module, scope) or _helper_class(module, scope) is not None
    return is_of_class and configured.of_any(path.partition(".")[2] or path)


def _is_class_method(module: Module, scope: Scope) -> bool:
    function = module.function_at(scope)
    return function is not None and function.is_classmethod


def _is_local(module: Module, path: str, scope: Scope) -> bool:
    """Whether only the function itself has what a path begins with: a name of its own, or a mock that it makes."""
    root, _, attributes = path.partition(".")
    if not attributes:
        return root in scope.bindings
    value = module.names.assigned_value(root, scope)
    return isinstance(value, ast.Call) and module.qualified(value.func, scope) in MOCKS


def _helper_class(module: Module, scope: Scope) -> Class | None:
    """The class around a scope when it holds no tests, such as a fake of something."""
    function = module.function_at(scope)
    klass = function.klass if function is not None else module.class_at(scope)
    return klass if klass is not None and not klass.may_be_collected else None


def _is_handed_out(path: str, scope: Scope) -> bool:
    for node in scope.of(ast.Return, ast.Yield):
        assert isinstance(node, (ast.Return, ast.Yield))
        parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        if any(part is not None and path_of(part) == path for part in parts):
            return True
    return False


def _is_part_of_what_is_handed_out(path: str, scope: Scope) -> bool:
    """Whether what has the mock as an attribute is returned or yielded: `client.get = AsyncMock(); return client`."""
    owner = path.rpartition(".")[0]
    while owner:
        if _is_handed_out(owner, scope):
            return True
        owner = owner.rpartition(".")[0]
    return False


def _may_be_configured_as_part(module: Module, path: str) -> bool:
    """Whether users may set something on it, by whatever name they have what it is an attribute of."""
    return module.is_conftest or not module.tests or module.fact(ConfiguredPaths).of_any(path.partition(".")[2])


def _may_be_configured_by_users(module: Module, call: Call) -> bool:
    """Whether somebody who is handed the mock may set something on it: a test does it by the fixture's name."""
    function = module.function_at(call.scope)
    fixture = module.fixture_of(function) if function is not None else None
    if fixture is None or module.is_conftest:
        return True
    return module.fact(ConfiguredPaths).anywhere(fixture.name)
