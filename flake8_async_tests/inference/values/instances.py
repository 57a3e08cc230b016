"""What `self.x` holds in a method: what the methods that run before each test gave it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.values.bindings import Binding, bound_in, effects_of
from flake8_async_tests.inference.values.receivers import class_of_first_parameter, class_of_receiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flake8_async_tests.inference.values.flow import Flow
    from flake8_async_tests.source.functions import Class, Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_SET_UP = frozenset({"setUp", "asyncSetUp", "setup_method", "setUpClass", "setup_class"})
_BINDERS = (ast.AnnAssign, ast.AugAssign, ast.For, ast.AsyncFor, ast.With, ast.AsyncWith)
"""What may bind an attribute, besides assignments."""


def given_to_instance(
    module: Module, owner: Scope, root: str, attribute: str, flow_of: Callable[[Module, Scope], Flow]
) -> tuple[Binding, ...]:
    """What set-up methods gave an attribute of the first parameter of the method that `owner` is."""
    function = module.function_at(owner)
    if function is None or function.klass is None or _first_parameter(function) != root:
        return ()
    # What one test gives the instance no other one sees: all tests of a class find the same.
    key = (function.klass if function.name.startswith("test") else function, attribute)
    known = module.fact(_known)
    if key not in known:
        known[key] = _given_before(module, function, function.klass, attribute, flow_of)
    return known[key]


def is_given_once(module: Module, owner: Scope, root: str, attribute: str) -> bool:
    """Whether nothing gives an attribute of that name but the method that `owner` is: its functions find just that."""
    function = module.function_at(owner)
    if function is None or function.klass is None or _first_parameter(function) != root:
        return False
    if any(attribute in klass.scope.bindings for klass in function.klass.lineage):
        return False
    return len(module.fact(_attributes_bound)[attribute]) == 1


def _known(_: Module) -> dict[tuple[Class | Function, str], tuple[Binding, ...]]:
    return {}


def _given_before(
    module: Module, function: Function, klass: Class, attribute: str, flow_of: Callable[[Module, Scope], Flow]
) -> tuple[Binding, ...]:
    givers: set[Function] = set()
    for root, scope in module.fact(_attributes_bound).get(attribute, ()):
        giver = _method_around(module, scope)
        if giver is None or giver is function or not _are_related(klass, giver.klass):
            continue
        if root != _first_parameter(giver):
            continue
        if giver.name.startswith("test"):
            # Another test has another instance.
            continue
        if not sets_up(giver) or giver.scope is not scope or giver.klass not in klass.lineage:
            return ()
        givers.add(giver)
    if len(givers) != 1:
        return ()
    giver = givers.pop()
    path = f"{_first_parameter(giver)}.{attribute}"
    if giver.scope.of(ast.Return):
        found = bound_in(module, giver.scope).get(path, ())
        return tuple(found) if len(found) == 1 else ()
    return flow_of(module, giver.scope).at_end.get(path, ())


def sets_up(function: Function) -> bool:
    """Whether it is a method that runs before each test, and gives the instance what they find there."""
    if function.name in _SET_UP:
        return True
    fixture = function.module.fixture_of(function) if function.decorators else None
    return fixture is not None and fixture.is_autouse


def given_by_heirs(module: Module, node: ast.expr, scope: Scope) -> Iterator[Binding]:
    """What the set-up methods of classes that inherit a method give an attribute of `self` which the method uses."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return
    klass = class_of_first_parameter(module, node.value, scope)
    givers = {
        giver: None
        for heir in (klass.subclasses if klass is not None else ())
        for each in heir.lineage
        for giver in each.methods.values()
        if sets_up(giver)
    }
    for giver in givers:
        yield from bound_in(module, giver.scope).get(f"{_first_parameter(giver)}.{node.attr}", ())


def _first_parameter(function: Function) -> str:
    return function.parameters[0] if function.parameters else ""


def _method_around(module: Module, scope: Scope) -> Function | None:
    """The method in which a scope stands, however deep."""
    at: Scope | None = scope
    while at is not None:
        function = module.function_at(at)
        if function is not None and function.is_method:
            return function
        at = at.parent
    return None


def _are_related(one: Class | None, other: Class | None) -> bool:
    return one is not None and other is not None and one.is_related_to(other)


def _attributes_bound(module: Module) -> dict[str, list[tuple[str, Scope]]]:
    """By each attribute that is bound on a plain name (`self.client = ..`): the name, and the scope that does it."""
    found: dict[str, list[tuple[str, Scope]]] = {}
    for node, scope in _binding_attributes(module):
        # A single assignment is what nearly all of them are.
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute) and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target.value, ast.Name):
                found.setdefault(target.attr, []).append((target.value.id, scope))
            continue
        for path, binding in effects_of(node, scope):
            root, _, attribute = path.partition(".")
            if binding is not None and attribute and "." not in attribute:
                found.setdefault(attribute, []).append((root, scope))
    return found


def _binding_attributes(module: Module) -> Iterator[tuple[ast.AST, Scope]]:
    """What may bind attributes: most assignments are to plain names, and are left out."""
    yield from module.index.settings
    for kind in _BINDERS:
        yield from module.index.by_kind[kind]


def given_in_class_body(module: Module, node: ast.expr, scope: Scope) -> tuple[Binding, ...]:
    """What `self.x` or `cls.x` got in the body of the class, where nothing else may give it something."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return ()
    body = _body_that_gives(class_of_first_parameter(module, node.value, scope), node.attr)
    found = bound_in(module, body).get(node.attr, ()) if body is not None else ()
    return tuple(found) if len(found) == 1 else ()


def annotated_in_class_body(module: Module, node: ast.Attribute, scope: Scope) -> tuple[ast.expr, Scope] | None:
    """The annotation of `self.x` in the body of the class or of the nearest of its bases, and that body."""
    klass = class_of_first_parameter(module, node.value, scope) if isinstance(node.value, ast.Name) else None
    for each in klass.lineage if klass is not None else ():
        for statement in each.node.body:
            target = statement.target if isinstance(statement, ast.AnnAssign) else None
            if isinstance(target, ast.Name) and target.id == node.attr:
                assert isinstance(statement, ast.AnnAssign)
                return statement.annotation, each.scope
    return None


def given_to_attribute(module: Module, node: ast.Attribute, scope: Scope) -> Iterator[Binding]:
    """Whatever is given to `self.x` in a file, in its classes, and to that attribute of what may be the same object."""
    assert isinstance(node.value, ast.Name)
    klass = class_of_first_parameter(module, node.value, scope)
    for each in (*klass.lineage, *klass.subclasses) if klass is not None else ():
        yield from bound_in(module, each.scope).get(node.attr, ())
    for root, where in dict.fromkeys(module.fact(_attributes_bound).get(node.attr, ())):
        giver = _method_around(module, where)
        is_of_another = giver is not None and root == _first_parameter(giver) and not _are_related(klass, giver.klass)
        if not is_of_another:
            yield from bound_in(module, where).get(f"{root}.{node.attr}", ())


def class_constant(module: Module, node: ast.Attribute, scope: Scope) -> tuple[ast.expr, Scope] | None:
    """What a class of this file assigns to an attribute in its body, and that body: `self.URL`, `OrderTests.URL`.

    None where it may be set elsewhere, or where a class that inherits from it gives its own.
    """
    body = _body_that_gives(class_of_receiver(module, node.value, scope), node.attr)
    value = module.names.assigned_value(node.attr, body) if body is not None else None
    return (value, body) if value is not None and body is not None else None


def _body_that_gives(klass: Class | None, attribute: str) -> Scope | None:
    """The body of a class, or of the nearest of its bases, that gives an attribute, where nothing else does so.

    Nor may an heir do it: what stands in the class is run for its instances as well.
    """
    if klass is None or any(attribute in heir.scope.bindings for heir in klass.subclasses):
        return None
    setters = klass.module.fact(_attributes_set).get(attribute, ())
    if any(_may_be_of(klass, path, node, scope) for path, node, scope in setters):
        return None
    return next((each.scope for each in klass.lineage if attribute in each.scope.bindings), None)


def _may_be_of(klass: Class, path: str, node: ast.AST, scope: Scope) -> bool:
    """Whether what a path begins with may be an instance of a class: not the `self` of one that has no part in it."""
    root, _, attributes = path.partition(".")
    owner = class_of_receiver(klass.module, ast.copy_location(ast.Name(root, ast.Load()), node), scope)
    return owner is None or "." in attributes or klass.is_related_to(owner)


def _attributes_set(module: Module) -> dict[str, list[tuple[str, ast.AST, Scope]]]:
    """All paths that are bound anywhere in a file, and where, by their last words."""
    found: dict[str, list[tuple[str, ast.AST, Scope]]] = {}
    for node, scope in _binding_attributes(module):
        for path, _ in effects_of(node, scope):
            if "." in path:
                found.setdefault(path.rpartition(".")[2], []).append((path, node, scope))
    return found
