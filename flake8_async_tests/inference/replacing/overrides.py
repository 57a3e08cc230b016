"""FastAPI's `app.dependency_overrides`: where they are set, and what takes them back."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.values.bindings import path_of, root_of
from flake8_async_tests.inference.values.elsewhere import function_meant
from flake8_async_tests.inference.values.instances import given_in_class_body
from flake8_async_tests.inference.values.literals import text_of
from flake8_async_tests.inference.values.receivers import class_of_first_parameter
from flake8_async_tests.record import record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

OVERRIDES = "dependency_overrides"

_TAKING_BACK = frozenset({"clear", "pop", "popitem"})
# Methods of `monkeypatch` after which an item is put back in the end, whatever else is done to it.
_RESTORING_ITEMS = frozenset({"delitem", "setitem"})
# How many functions that call each other are looked into, and names for the same app.
_DEPTH = 2


@record
class Override:
    """One place at which dependencies of an app are overridden."""

    node: ast.stmt | ast.Call
    app: ast.expr
    scope: Scope
    key: ast.expr | None = None
    """The dependency, where it is just one."""


@record
class TakenBack:
    """One place that takes overrides back, at once or, as a callback, when something else says so."""

    node: ast.stmt | ast.Call
    app: ast.expr
    scope: Scope
    key: ast.expr | None = None
    is_callback: bool = False


def overrides_in(module: Module) -> Iterator[Override]:
    """Each `app.dependency_overrides[..] = ..`, `= {..}`, `|= ..` and `.update(..)` of a file."""
    for assign, scope in module.of_kind(ast.Assign):
        for target in assign.targets:
            for element in target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]:
                yield from _set_by(module, assign, element, scope)
    for augmented, scope in module.of_kind(ast.AugAssign):
        app = _app_of(module, augmented.target, scope)
        if app is not None:
            yield Override(augmented, app, scope)
    for call in module.method_calls("update"):
        assert isinstance(call.node.func, ast.Attribute)
        app = _app_of(module, call.node.func.value, call.scope)
        if app is not None:
            yield Override(call.node, app, call.scope)


def taken_back_in(module: Module, scope: Scope) -> Iterator[TakenBack]:
    """What takes overrides back in a scope: a `clear()` or its like, called or handed over, a reassignment, a `del`."""
    for node in scope.nodes:
        if isinstance(node, ast.Call):
            yield from _taken_back_by(module, node, scope)
        elif isinstance(node, ast.Assign):
            if not _is_filled(module, node.value, scope):
                yield from (TakenBack(node, app, scope) for app in map(_app_in, node.targets) if app is not None)
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                app = _app_of(module, target.value, scope) if isinstance(target, ast.Subscript) else None
                if app is not None and isinstance(target, ast.Subscript):
                    yield TakenBack(node, app, scope, target.slice)


def means_another(module: Module, taken_back: TakenBack, override: Override) -> bool:
    """Whether something takes back the overrides of another app, or certainly another dependency's."""
    apps = {_named(module, each.app, each.scope) for each in (taken_back, override)}
    if "" not in apps and len(apps) > 1:
        return True
    names = {name_of_key(module, each.key, each.scope) for each in (taken_back, override)}
    return "" not in names and len(names) > 1


def takes_back(function: Function, key: str = "", depth: int = _DEPTH) -> bool:
    """Whether a function, or one that it calls, takes overrides back or puts back what was there.

    With the name of a dependency it does not count that another one is taken back.
    """
    module = function.module
    for scope in module.scopes_within(function.scope):
        for taken_back in taken_back_in(module, scope):
            name = name_of_key(module, taken_back.key, scope)
            if not name or not key or name == key:
                return True
        for call in scope.of(ast.Call):
            assert isinstance(call, ast.Call)
            if restores_by_itself(module, call, scope):
                return True
            # What is handed over is called later on: `self.addCleanup(restore)`.
            for node in (call.func, *call.args) if depth else ():
                called = function_behind(module, node, scope)
                if called is not None and takes_back(called, key, depth - 1):
                    return True
    return False


def function_behind(module: Module, node: ast.expr, scope: Scope) -> Function | None:
    """The function of the project that an expression means, the method of its own class in `self.restore` included."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        klass = class_of_first_parameter(module, node.value, scope)
        if klass is not None:
            return klass.find_method(node.attr)
    return function_meant(module, node, scope)


def restores_by_itself(module: Module, call: ast.Call, scope: Scope) -> bool:
    """Whether a call replaces the overrides until it puts them back: `patch.dict(..)`, `monkeypatch.setattr(..)`."""
    if not call.args or not isinstance(call.func, (ast.Attribute, ast.Name)):
        return False
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if method == "dict":
        if _app_of(module, call.args[0], scope) is not None:
            return True
    elif method not in ("object", "patch", "setattr") and module.qualified(call.func, scope) != "unittest.mock.patch":
        return False
    texts = (text_of(module, argument, scope) or "" for argument in call.args[:2])
    return any(text.rpartition(".")[2] == OVERRIDES for text in texts)


def _app_of(module: Module, node: ast.expr, scope: Scope) -> ast.expr | None:
    """The app in `app.dependency_overrides`, or behind a name for that."""
    return _app_in(module.value_of(node, scope))


def _app_in(node: ast.expr) -> ast.expr | None:
    return node.value if isinstance(node, ast.Attribute) and node.attr == OVERRIDES else None


def _set_by(module: Module, node: ast.Assign, target: ast.expr, scope: Scope) -> Iterator[Override]:
    if isinstance(target, ast.Subscript):
        app = _app_of(module, target.value, scope)
        if app is not None:
            yield Override(node, app, scope, target.slice)
        return
    app = _app_in(target)
    if app is not None and _is_filled(module, node.value, scope):
        yield Override(node, app, scope)


def _is_filled(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether it holds overrides: `= {}` takes them all back, and so does a dictionary that was saved before."""
    node = module.value_of(node, scope)
    return isinstance(node, ast.DictComp) or (isinstance(node, ast.Dict) and bool(node.keys))


def _taken_back_by(module: Module, call: ast.Call, scope: Scope) -> Iterator[TakenBack]:
    if isinstance(call.func, ast.Attribute) and call.func.attr in _RESTORING_ITEMS and len(call.args) > 1:
        app = _app_of(module, call.args[0], scope)
        if app is not None:
            yield TakenBack(call, app, scope, call.args[1], is_callback=True)
    for part in (call.func, *call.args, *(keyword.value for keyword in call.keywords)):
        if isinstance(part, ast.Attribute) and part.attr in _TAKING_BACK:
            app = _app_of(module, part.value, scope)
            if app is not None:
                is_called = part is call.func
                yield TakenBack(call, app, scope, call.args[0] if is_called and call.args else None, not is_called)


def _named(module: Module, node: ast.expr, scope: Scope) -> str:
    """How an app that others find, too, is called; "" for what may be any, such as `client.app`."""
    node, scope = as_shared(module, node, scope)
    is_known = isinstance(node, ast.Name) and is_of_module(module, node, scope)
    return module.qualified(node, scope) or (path_of(node) if is_known else "")


def is_of_module(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether something is reached from a name of the module itself."""
    root = root_of(node)
    return root is not None and module.names.binding_scope(root.id, scope) is module.scope


def as_shared(module: Module, node: ast.expr, scope: Scope) -> tuple[ast.expr, Scope]:
    """What an app is called where others find it, too, and where that is to be read.

    That is behind local names (`c = client`, then `c.app`), and behind `self.app`, which the body of a class gives.
    """
    for _ in range(_DEPTH):
        root = root_of(node)
        owner = module.names.owner_of(root, scope) if root is not None else None
        if root is None or owner is None or not owner.is_function:
            break
        value = module.names.assigned_value(root.id, owner)
        if not isinstance(value, (ast.Name, ast.Attribute)):
            break
        for attribute in path_of(node).split(".")[1:]:
            value = ast.Attribute(value, attribute, ast.Load())
        node, scope = value, owner
    given = given_in_class_body(module, node, scope)
    value = given[0].value if given else None
    # `app = app` reads what is outside of the class.
    around = given[0].scope.parent if given else None
    return (value, around) if value is not None and around is not None else (node, scope)


def name_of_key(module: Module, node: ast.expr | None, scope: Scope) -> str:
    """The last word of an imported or defined dependency; "" for a variable, which may be any."""
    if isinstance(node, ast.Name) and module.names.definition(node, scope) is not None:
        return node.id
    return module.qualified(node, scope).rpartition(".")[2]
