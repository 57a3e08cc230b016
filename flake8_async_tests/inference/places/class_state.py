"""What methods and fixtures do to the attributes of a class: through `self`, through `cls`, or by the class's name."""

from __future__ import annotations

import ast
from enum import Enum
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.parts import clears_up as is_cleaned_up
from flake8_async_tests.inference.places.parts import nodes_of
from flake8_async_tests.record import record
from flake8_async_tests.source.walk import arguments_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.functions import Class, Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_CHANGING_METHODS = (
    "add",
    "append",
    "appendleft",
    "clear",
    "difference_update",
    "discard",
    "extend",
    "extendleft",
    "insert",
    "intersection_update",
    "pop",
    "popitem",
    "popleft",
    "remove",
    "reverse",
    "rotate",
    "setdefault",
    "sort",
    "symmetric_difference_update",
    "update",
)

# Of these, those that only add to what is there.
_FILLING_METHODS = frozenset({"add", "append", "appendleft", "extend", "extendleft", "insert", "setdefault"})

# What is handed to these is called when the test is over, and what these replace is put back then.
_CALLING_LATER = ("addCleanup", "addfinalizer", "callback")
_REPLACING = ("object", "setattr")


# What the fixture `request` has of the test: the instance and its class.
_OF_REQUEST = ("instance", "cls")


class Doing(Enum):
    """What is done to an attribute."""

    SET = "self.x = .."
    CLEARED = "self.x.clear()"
    FILLED = "self.x.append(..)"
    CHANGED = "self.x.pop()"

    @property
    def is_in_place(self) -> bool:
        """Whether the object stays the same one, with something of what it held."""
        return self in (Doing.FILLED, Doing.CHANGED)


@record
class Touch:
    """One thing that a method does to an attribute."""

    attribute: str
    doing: Doing
    method: Function
    """The method in which it stands, however deep, or the fixture outside of all classes."""
    klass: Class
    """The class that is reached through: the method's own one, or the one that is named."""
    through_class: bool
    node: ast.stmt | ast.expr
    clears_up: bool = False
    """Whether it is done when the test is over, whatever happens."""


def touches(module: Module) -> list[Touch]:
    """Everything that methods and fixtures do to an attribute of a class, in the order of the file."""
    found = [touch for touch in _touches(module) if touch is not None]
    found.sort(key=lambda touch: (touch.node.lineno, touch.node.col_offset))
    return found


def _touches(module: Module) -> Iterator[Touch | None]:
    for assign, scope in module.of_kind(ast.Assign):
        for target in assign.targets:
            elements = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
            for element in elements:
                yield _assigned(module, assign, element, scope)
    for annotated, scope in module.of_kind(ast.AnnAssign):
        if annotated.value is not None:
            yield _assigned(module, annotated, annotated.target, scope)
    for augmented, scope in module.of_kind(ast.AugAssign):
        yield _augmented(module, augmented, scope)
    for deletion, scope in module.of_kind(ast.Delete):
        for target in deletion.targets:
            yield _deleted(module, deletion, target, scope)
    for call in module.method_calls(*_CHANGING_METHODS):
        function = call.node.func
        assert isinstance(function, ast.Attribute)
        changed = _without_items(module, function.value, call.scope)
        doing = _done_by(function, is_whole=module.value_of(function.value, call.scope) is changed)
        yield _touch(module, changed, doing, call.node, call.scope)
    for call in module.method_calls(*_CALLING_LATER, where=lambda node: bool(node.args)):
        callback = call.node.args[0]
        if isinstance(callback, ast.Attribute) and callback.attr == "clear":
            cleared = module.value_of(callback.value, call.scope)
            yield _touch(module, cleared, Doing.CLEARED, call.node, call.scope, clears_up=True)
    for call in module.method_calls(*_REPLACING, where=lambda node: len(node.args) > 1):
        holder, name = call.node.args[:2]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            replaced = ast.Attribute(holder, name.value, ast.Store())
            yield _touch(module, replaced, Doing.SET, call.node, call.scope, clears_up=True)


def _done_by(method: ast.Attribute, *, is_whole: bool) -> Doing:
    if method.attr == "clear" and is_whole:
        return Doing.CLEARED
    return Doing.FILLED if method.attr in _FILLING_METHODS else Doing.CHANGED


def gives_to_test(fixture: Fixture, attribute: str) -> bool:
    """Whether a fixture outside of the test's class sees to an attribute of it: `request.cls.items = []`."""
    module, function = fixture.function.module, fixture.function
    owners = (
        module.value_of(node.value, function.scope)
        for node in (nodes_of(function.node.body) if fixture.klass is None else ())
        if isinstance(node, ast.Attribute) and node.attr == attribute
    )
    return any(
        _is_of_request(module, owner, each, function.scope, function) for owner in owners for each in _OF_REQUEST
    )


def _assigned(module: Module, node: ast.Assign | ast.AnnAssign, target: ast.expr, scope: Scope) -> Touch | None:
    if not isinstance(target, ast.Subscript):
        return _touch(module, target, Doing.SET, node, scope)
    doing = Doing.CLEARED if _is_everything(module, target, scope) else Doing.CHANGED
    return _touch(module, _without_items(module, target, scope), doing, node, scope)


def _deleted(module: Module, node: ast.Delete, target: ast.expr, scope: Scope) -> Touch | None:
    if not isinstance(target, ast.Subscript):
        return _touch(module, target, Doing.CLEARED, node, scope)
    doing = Doing.CLEARED if _is_everything(module, target, scope) else Doing.CHANGED
    return _touch(module, _without_items(module, target, scope), doing, node, scope)


def _is_everything(module: Module, node: ast.Subscript, scope: Scope) -> bool:
    """Whether it is all that an attribute holds: `self.x[:]`."""
    part = node.slice
    return (
        isinstance(part, ast.Slice)
        and part.lower is None
        and part.upper is None
        and isinstance(module.value_of(node.value, scope), ast.Attribute)
    )


def _augmented(module: Module, node: ast.AugAssign, scope: Scope) -> Touch | None:
    return _touch(module, _without_items(module, node.target, scope), Doing.CHANGED, node, scope)


def _without_items(module: Module, node: ast.expr, scope: Scope) -> ast.expr:
    """`self.x` of `self.x["a"]["b"]`, or behind a name for that: what is changed within it, is changed in it."""
    node = module.value_of(node, scope)
    while isinstance(node, ast.Subscript):
        node = module.value_of(node.value, scope)
    return node


def _touch(
    module: Module,
    target: ast.expr,
    doing: Doing,
    node: ast.stmt | ast.expr,
    scope: Scope,
    *,
    clears_up: bool = False,
) -> Touch | None:
    if not isinstance(target, ast.Attribute):
        return None
    method = _method_or_fixture_around(module, scope)
    if method is None:
        return None
    if _is_instance(module, module.value_of(target.value, scope), scope, method):
        klass: Class | None = method.klass
        through_class = method.is_classmethod
    else:
        klass = _class_meant(module, target.value, scope, method)
        through_class = True
    if klass is None:
        return None
    return Touch(
        target.attr, doing, method, klass, through_class, node, clears_up or is_cleaned_up(module, node, scope)
    )


def _method_or_fixture_around(module: Module, scope: Scope) -> Function | None:
    at: Scope | None = scope
    while at is not None:
        function = module.function_at(at)
        if function is not None and (function.is_method or module.is_fixture(function)):
            return function
        at = at.parent
    return None


def _is_instance(module: Module, node: ast.expr, scope: Scope, method: Function) -> bool:
    """Whether an expression is the instance: `self`, or what the fixture `request` has for it."""
    return _is_first_parameter(module, node, scope, method) or _is_of_request(module, node, "instance", scope, method)


def _is_of_request(module: Module, node: ast.expr, attribute: str, scope: Scope, method: Function) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr == attribute
        and isinstance(node.value, ast.Name)
        and node.value.id == "request"
        and module.names.binding_scope("request", scope) is method.scope
        and "request" in method.parameters
    )


def _is_first_parameter(module: Module, node: ast.expr, scope: Scope, method: Function) -> bool:
    arguments = arguments_of(method.node)
    return (
        isinstance(node, ast.Name)
        and method.is_method
        and bool(arguments)
        and node.id == arguments[0].arg
        and module.names.binding_scope(node.id, scope) is method.scope
        and not any(decorator.name == "builtins.staticmethod" for decorator in method.decorators)
    )


def _class_meant(module: Module, node: ast.expr, scope: Scope, method: Function) -> Class | None:
    """The class behind `TestOrders`, `type(self)`, `self.__class__`, `request.cls`, or a name for one of them."""
    node = module.value_of(node, scope)
    if isinstance(node, ast.Call):
        of_self = len(node.args) == 1 and _is_first_parameter(module, node.args[0], scope, method)
        return method.klass if of_self and module.qualified(node.func, scope) == "builtins.type" else None
    if isinstance(node, ast.Attribute):
        of_self = node.attr == "__class__" and _is_first_parameter(module, node.value, scope, method)
        return method.klass if of_self or _is_of_request(module, node, "cls", scope, method) else None
    definition = module.names.definition(node, scope)
    return module.class_of_node(definition) if isinstance(definition, ast.ClassDef) else None
