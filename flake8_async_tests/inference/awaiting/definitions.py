"""What names and attributes mean that the file or the project defines: coroutine functions, classes, methods."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeAlias

from flake8_async_tests.inference.awaiting.candidates import class_made, star_imports
from flake8_async_tests.inference.clients.known import fixture_behind
from flake8_async_tests.inference.replacing.replaced import (
    method_may_be_replaced,
    name_may_be_replaced,
    path_may_be_replaced,
)
from flake8_async_tests.inference.values.flow import Binding, Kind, bindings_at, is_assigned_at, is_rebound_elsewhere
from flake8_async_tests.inference.values.receivers import method_with_first_parameter
from flake8_async_tests.project.outline import LocalClass
from flake8_async_tests.project.texts import joined
from flake8_async_tests.source.coroutines import (
    ClassFacts,
    CoroutineFunction,
    Member,
    Other,
    Takes,
    coroutine_function_of,
    find_inherited,
    find_method,
)
from flake8_async_tests.source.known_coroutines import UNKNOWN_SIGNATURE, meaning_in_library

if TYPE_CHECKING:
    from flake8_async_tests.source.functions import Class, Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

Meaning: TypeAlias = Member | ClassFacts


# -- plain names and dotted ones --------------------------------------------------------------------------------------


def takes_nothing(module: Module, path: str) -> bool:
    """Whether that is a function, and no method that gets its instance or class before all arguments."""
    meaning = _meaning_of_path(module, path)
    return isinstance(meaning, CoroutineFunction) and meaning.takes is Takes.NOTHING


def meaning_of(module: Module, node: ast.Name | ast.Attribute, scope: Scope) -> Meaning:
    """What a name means that this file defines or imports, or an attribute of an imported module or class."""
    owner = module.names.owner_of(node, scope) if isinstance(node, ast.Name) else None
    if isinstance(node, ast.Name):
        if owner is None:
            return _starred(module, node.id, scope)
        definition = module.names.definition(node, scope)
        if definition is not None:
            return _defined(module, definition, node.id, owner, scope)
        if all(binding.__class__ is ast.AsyncFunctionDef for binding in owner.bindings[node.id]):
            return _defined_in_branches(module, node.id, owner, scope)
    qualified = module.qualified(node, scope)
    meaning = _meaning_of_path(module, qualified) if qualified else Other.SOMETHING
    if isinstance(meaning, Other):
        return meaning
    if isinstance(node, ast.Name) and owner is module.scope:
        replaced = name_may_be_replaced(module, node.id, scope)
    else:
        replaced = path_may_be_replaced(module, qualified, scope) or _owner_may_be_replaced(module, node, scope)
    return Other.SOMETHING if replaced else meaning


def _owner_may_be_replaced(module: Module, node: ast.Name | ast.Attribute, scope: Scope) -> bool:
    """Whether the module in which something is looked up may have given way to something new as a whole."""
    owner: ast.expr = node
    while isinstance(owner, ast.Attribute):
        owner = owner.value
        if isinstance(owner, ast.Attribute) and path_may_be_replaced(module, module.qualified(owner, scope), scope):
            return True
    if not isinstance(owner, ast.Name) or module.names.owner_of(owner, scope) is not module.scope:
        return False
    return name_may_be_replaced(module, owner.id, scope)


def _defined(module: Module, definition: ast.AST, name: str, owner: Scope, scope: Scope) -> Meaning:
    if _may_be_something_else(module, name, owner, scope):
        return Other.SOMETHING
    klass = module.class_of_node(definition) if isinstance(definition, ast.ClassDef) else None
    if klass is not None:
        return LocalClass(klass)
    function = module.function_of_node(definition)
    return coroutine_function_of(function) if function is not None else Other.SOMETHING


def _defined_in_branches(module: Module, name: str, owner: Scope, scope: Scope) -> Meaning:
    """What a name means that is defined more than once, for one version of Python and for another, say."""
    functions = [module.function_of_node(binding) for binding in owner.bindings[name]]
    agree = all(isinstance(coroutine_function_of(each), CoroutineFunction) for each in functions if each is not None)
    return UNKNOWN_SIGNATURE if agree and not _may_be_something_else(module, name, owner, scope) else Other.SOMETHING


def _may_be_something_else(module: Module, name: str, owner: Scope, scope: Scope) -> bool:
    """Whether something besides what defines a name may give it what it means."""
    if is_rebound_elsewhere(module, owner, name):
        return True
    if owner is not module.scope:
        return False
    if name_may_be_replaced(module, name, scope) or module.names.may_be_starred_over(name, owner):
        return True
    # Where it is defined under a condition alone, it may come from elsewhere, too.
    return bool(module.fact(star_imports)) and not any(each in owner.body() for each in owner.bindings[name])


def _starred(module: Module, name: str, scope: Scope) -> Meaning:
    """What a name means that only a star import can bring."""
    for star in module.fact(star_imports):
        meaning = _meaning_of_path(module, joined(star, name))
        if not isinstance(meaning, Other):
            return Other.SOMETHING if name_may_be_replaced(module, name, scope) else meaning
    return Other.ABSENT


def _meaning_of_path(module: Module, qualified: str) -> Meaning:
    in_library = meaning_in_library(qualified)
    if in_library is None:
        return module.project.outlines.find(qualified, module.directory)
    if in_library is UNKNOWN_SIGNATURE and module.project.may_have(qualified, module.directory):
        # In a suite of the library itself its functions can be read.
        found = module.project.outlines.find(qualified, module.directory)
        return found if isinstance(found, CoroutineFunction) else in_library
    return in_library


# -- methods ----------------------------------------------------------------------------------------------------------


def method_of(module: Module, node: ast.Attribute, scope: Scope) -> tuple[CoroutineFunction | None, bool]:
    """The coroutine function that an attribute is by its class, and whether it is reached through an instance."""
    member, through_instance = _member(module, node, scope)
    if not isinstance(member, CoroutineFunction):
        return None, through_instance
    if is_assigned_at(module, node, scope) or method_may_be_replaced(module, node, scope):
        return None, through_instance
    return member, through_instance


def is_coroutine_method(module: Module, receiver: ast.expr, name: str, scope: Scope) -> bool:
    """Whether a method of an object is a coroutine function by the object's class, whatever may replace it."""
    return isinstance(member_of(module, receiver, name, scope), CoroutineFunction)


def member_of(module: Module, receiver: ast.expr, name: str, scope: Scope) -> Member:
    """What an attribute of an object is by the object's class, whatever may replace it."""
    return _member(module, ast.Attribute(receiver, name, ast.Load()), scope)[0]


def _member(module: Module, node: ast.Attribute, scope: Scope) -> tuple[Member, bool]:
    """What an attribute is by the class that it is of, and whether it is reached through an instance."""
    receiver = node.value
    if isinstance(receiver, ast.Name):
        method = method_with_first_parameter(module, receiver, scope)
        if method is not None and method.klass is not None:
            return _member_of_self(method.klass, node.attr), not method.is_classmethod
        meaning = meaning_of(module, receiver, scope)
        if not isinstance(meaning, (CoroutineFunction, Other)):
            return find_method(meaning, node.attr), False
    if isinstance(receiver, ast.Call):
        if module.qualified(receiver.func, scope) == "builtins.super":
            return _member_of_super(module, node.attr, scope), True
        return _member_of_instance(module, receiver, node.attr, scope), True
    bindings = bindings_at(module, receiver, scope)
    members = [_member_of_bound(module, binding, node.attr) for binding in bindings]
    if members and all(isinstance(member, CoroutineFunction) for member in members):
        return members[0], True
    return Other.SOMETHING, True


def _member_of_self(klass: Class, name: str) -> Member:
    known = klass.module.fact(_members_of_self)
    if (klass, name) not in known:
        known[klass, name] = _look_up_of_self(klass, name)
    return known[klass, name]


def _members_of_self(_: Module) -> dict[tuple[Class, str], Member]:  # filled when one is asked for
    return {}


def _look_up_of_self(klass: Class, name: str) -> Member:
    member = find_method(LocalClass(klass), name)
    if not isinstance(member, CoroutineFunction) or member.is_abstract:
        return Other.SOMETHING
    overriding = (LocalClass(subclass).own(name) for subclass in klass.subclasses)
    unsure = any(isinstance(each, Other) and each is not Other.ABSENT for each in overriding)
    return Other.SOMETHING if unsure else member


def _member_of_super(module: Module, name: str, scope: Scope) -> Member:
    function = module.function_at(scope)
    if function is None or function.klass is None:
        return Other.SOMETHING
    member = find_inherited(LocalClass(function.klass), name)
    return Other.SOMETHING if isinstance(member, CoroutineFunction) and member.is_abstract else member


def _member_of_bound(module: Module, binding: Binding, name: str) -> Member:
    """What an attribute is of what a name was given: a new instance of a class, or one that was entered."""
    if isinstance(binding.node, ast.arg):
        return _member_of_received(module, binding.node.arg, binding.scope, name)
    klass = _class_made(module, binding.value, binding.scope) if binding.value is not None else None
    if klass is None:
        return Other.SOMETHING
    if binding.kind is Kind.ENTERED:
        is_instance = find_method(klass, "__enter__") is Other.GIVES_SELF
    elif binding.kind is Kind.ENTERED_ASYNC:
        enter = find_method(klass, "__aenter__")
        is_instance = isinstance(enter, CoroutineFunction) and enter.gives_self
    else:
        is_instance = binding.kind is Kind.ASSIGNED
    return find_method(klass, name) if is_instance else Other.SOMETHING


def _member_of_received(module: Module, parameter: str, scope: Scope, name: str) -> Member:
    """What an attribute is of the instance that a fixture makes, where no other fixture can come in its place."""
    function = module.function_at(scope)
    # A fixture of a conftest may find another one in the place of what it requests.
    if function is None or not module.matches_python_files:
        return Other.SOMETHING
    if function.klass is not None and any(parameter in heir.scope.bindings for heir in function.klass.subclasses):
        return Other.SOMETHING
    fixture = fixture_behind(function, parameter)
    # What another decorator makes of a fixture may give anything.
    if fixture is None or len(fixture.function.node.decorator_list) != 1:
        return Other.SOMETHING
    given = list(fixture.function.values_given())
    members = [_member_of_given(fixture.function, value, name) for value in given]
    return members[0] if members and all(isinstance(each, CoroutineFunction) for each in members) else Other.SOMETHING


def _member_of_given(fixture: Function, value: ast.expr, name: str) -> Member:
    """What an attribute is of what a fixture hands out: of what it makes, be it under a name, not of what it got."""
    if isinstance(value, ast.Call):
        return _member_of_instance(fixture.module, value, name, fixture.scope)
    bindings = bindings_at(fixture.module, value, fixture.scope)
    if len(bindings) != 1 or isinstance(bindings[0].node, ast.arg):
        return Other.SOMETHING
    return _member_of_bound(fixture.module, bindings[0], name)


def _member_of_instance(module: Module, call: ast.Call, name: str, scope: Scope) -> Member:
    """What an attribute is of what a call makes."""
    klass = _class_made(module, call, scope)
    return find_method(klass, name) if klass is not None else Other.SOMETHING


def _class_made(module: Module, node: ast.expr, scope: Scope) -> ClassFacts | None:
    """The class of which a call makes a new instance."""
    made = class_made(node) if isinstance(node, ast.Call) else None
    if not isinstance(made, (ast.Name, ast.Attribute)):
        return None
    klass = meaning_of(module, made, scope)
    if isinstance(klass, (CoroutineFunction, Other)) or not klass.is_plain:
        return None
    return klass if find_method(klass, "__new__") in (Other.ABSENT, Other.UNSEEN) else None
