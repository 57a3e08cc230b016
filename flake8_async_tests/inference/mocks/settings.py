"""Every place that gives an attribute a value where mocks are about: assignments, keywords, calls that configure."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.mocks.known import mocks_of
from flake8_async_tests.inference.replacing.mock_values import RETURN_VALUE, SIDE_EFFECT
from flake8_async_tests.inference.replacing.patches import CONSTRUCTORS, configured_by, keywords_for_mock
from flake8_async_tests.inference.values.bindings import MAXIMUM_PATH, leaves_of
from flake8_async_tests.inference.values.flow import Kind, bindings_at
from flake8_async_tests.inference.values.receivers import method_with_first_parameter
from flake8_async_tests.record import unique_record
from flake8_async_tests.source.coroutines import bases_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.replacing.mock_values import Mock, Path
    from flake8_async_tests.source.functions import Class
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


@unique_record
class MockSetting:
    """One value for one path: `session.get.return_value = reply`, `AsyncMock(get=reply)`, `m.configure_mock(..)`."""

    owner: ast.expr | None
    """What stands before the attributes; None in the body of a class."""
    attributes: tuple[ast.Attribute, ...]
    """The attributes that are written as such, from the owner on; what further ones there are is in a keyword."""
    path: Path
    value: ast.expr
    node: ast.stmt | ast.expr | ast.keyword
    """The assignment."""
    scope: Scope

    @property
    def name(self) -> str:
        return self.path[-1]

    @property
    def results(self) -> list[ast.expr]:
        """What it makes the call of a mock give: a return value, or one after the other in a list of effects."""
        if self.name == RETURN_VALUE:
            return [self.value]
        if self.name == SIDE_EFFECT and isinstance(self.value, (ast.List, ast.Tuple)):
            return self.value.elts
        return []


class MockSettings:
    """The values given to attributes in a file, by each of the attributes on the way."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._mocks = mocks_of(module)
        self._by_name: dict[str, list[MockSetting]] = {}
        self._all: list[MockSetting] = [*self._assigned(), *self._in_classes(), *self._in_calls()]
        for setting in self._all:
            for name in dict.fromkeys(setting.path):
                self._by_name.setdefault(name, []).append(setting)

    def all(self) -> list[MockSetting]:
        """Every one of them."""
        return self._all

    def naming(self, *names: str) -> list[MockSetting]:
        """Those whose path goes through one of these attributes, in the order of the file."""
        found = dict.fromkeys(setting for name in names for setting in self._by_name.get(name, ()))
        return sorted(found, key=lambda setting: (setting.value.lineno, setting.value.col_offset))

    def mocks(self, setting: MockSetting, length: int) -> tuple[Mock, ...]:
        """What mock there is after so many attributes of the path."""
        if setting.owner is None:
            return ()
        if any(_tells_more(setting, than=other) for other in self.naming(*setting.path[:length])):
            return ()
        written = min(length, len(setting.attributes))
        start = setting.attributes[written - 1] if written else setting.owner
        patch = self._mocks.patch(start, setting.scope) if isinstance(start, ast.Call) else None
        found = self._mocks.put_there_by(patch) if patch is not None else self._mocks.at(start, setting.scope)
        rest = setting.path[written:length]
        ends = [self._mocks.descendant(mock, rest, setting.value, setting.scope) for mock in found]
        return tuple(mock for end in ends for mock in end) if all(ends) else ()

    def is_told_further(self, setting: MockSetting) -> bool:
        """Whether the same call tells what it gives more: `__aexit__=mock, **{"__aexit__.return_value": None}`.

        A mock takes such keywords in the order of their depth.
        """
        return any(_tells_more(other, than=setting) for other in self.naming(setting.name))

    def is_lost_on_instance(self, setting: MockSetting, position: int) -> bool:
        """Whether a path begins with a method of Python's protocols, given to an instance of a class of this file.

        Python looks such a method up in the class, where only a mock puts it.
        """
        if position or not isinstance(setting.owner, ast.Name):
            return False
        klass = _class_of_instance(self._module, setting.owner, setting.scope)
        return klass is not None and not any(base in CONSTRUCTORS for each in klass.lineage for base in bases_of(each))

    def _assigned(self) -> Iterator[MockSetting]:
        for assignment, scope in self._module.index.settings:
            for target in assignment.targets:
                yield from _set_by(target, assignment.value, assignment, scope)
        for node, scope in self._module.of_kind(ast.AnnAssign):
            if node.value is not None:
                yield from _set_by(node.target, node.value, node, scope)

    def _in_classes(self) -> Iterator[MockSetting]:
        """`__aexit__ = AsyncMock()` in the body of a class."""
        for node, scope in self._module.of_kind(ast.Assign):
            if scope.is_class:
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        yield MockSetting(None, (), (target.id,), node.value, node, scope)

    def _in_calls(self) -> Iterator[MockSetting]:
        calls = self._module.index.calls
        for name in sorted(self._mocks.names.makers):
            for call, scope, _ in calls.get(name, ()):
                yield from self._in_constructor(call, scope)
                yield from self._in_patch(call, scope)
        for call, scope, _ in calls.get("setattr", ()):
            yield from self._in_patch(call, scope)
            yield from self._in_setattr(call, scope)
        for call, scope, _ in calls.get("attach_mock", ()):
            yield from self._in_attach_mock(call, scope)
        for call, scope, _ in calls.get("configure_mock", ()):
            if isinstance(call.func, ast.Attribute):
                for given in configured_by(call, scope):
                    owner, attributes = _taken_apart(call.func.value)
                    path = (*(attribute.attr for attribute in attributes), *given.path)
                    yield MockSetting(owner, attributes, path, given.value, given.node, scope)

    def _in_constructor(self, call: ast.Call, scope: Scope) -> Iterator[MockSetting]:
        if not call.keywords and len(call.args) < 2:
            return
        origin = self._mocks.constructed(call, scope)
        for given in origin.given if origin is not None else ():
            yield MockSetting(call, (), given.path, given.value, given.node, scope)

    def _in_patch(self, call: ast.Call, scope: Scope) -> Iterator[MockSetting]:
        if not call.keywords and len(call.args) < 3:
            # Neither a keyword nor, behind an object and its attribute, something new.
            return
        patch = self._mocks.patch(call, scope)
        if patch is None:
            return
        for given in keywords_for_mock(patch):
            yield MockSetting(call, (), given.path, given.value, given.node, scope)
        if patch.new is not None and patch.attribute_name:
            owner, attributes = _taken_apart(patch.target)
            path = (*(attribute.attr for attribute in attributes), patch.attribute_name)
            yield MockSetting(owner, attributes, path, patch.new, call, scope)

    def _in_setattr(self, call: ast.Call, scope: Scope) -> Iterator[MockSetting]:
        """`setattr(mock, "__aexit__", AsyncMock())`, for those who assign like this."""
        if len(call.args) != 3 or self._module.qualified(call.func, scope) != "builtins.setattr":
            return
        yield from _set_by_name(call.args[0], call.args[1], call.args[2], call, scope)

    def _in_attach_mock(self, call: ast.Call, scope: Scope) -> Iterator[MockSetting]:
        """`manager.attach_mock(mock, "save")`."""
        if not isinstance(call.func, ast.Attribute) or len(call.args) != 2:
            return
        yield from _set_by_name(call.func.value, call.args[1], call.args[0], call, scope)


def _set_by_name(
    base: ast.expr, name: ast.expr, value: ast.expr, call: ast.Call, scope: Scope
) -> Iterator[MockSetting]:
    """What a call sets that names an attribute by a text."""
    if isinstance(name, ast.Constant) and isinstance(name.value, str):
        owner, attributes = _taken_apart(base)
        path = (*(attribute.attr for attribute in attributes), name.value)
        yield MockSetting(owner, attributes, path, value, call, scope)


def _class_of_instance(module: Module, node: ast.Name, scope: Scope) -> Class | None:
    """The class of this file of which a name is `self`, or an instance made in view."""
    method = method_with_first_parameter(module, node, scope)
    if method is not None:
        return None if method.is_classmethod else method.klass
    bindings = bindings_at(module, node, scope)
    made = bindings[0].value if len(bindings) == 1 and bindings[0].kind is Kind.ASSIGNED else None
    definition = module.names.definition(made.func, bindings[0].scope) if isinstance(made, ast.Call) else None
    return module.class_of_node(definition) if isinstance(definition, ast.ClassDef) else None


def _set_by(target: ast.expr, value: ast.expr, node: ast.stmt, scope: Scope) -> Iterator[MockSetting]:
    if not isinstance(target, (ast.Attribute, ast.Tuple, ast.List)):
        return
    for leaf, part in leaves_of(target, value):
        if isinstance(leaf, ast.Attribute) and part is not None:
            owner, attributes = _taken_apart(leaf)
            if len(attributes) > MAXIMUM_PATH:
                continue
            yield MockSetting(owner, attributes, tuple(each.attr for each in attributes), part, node, scope)


def _taken_apart(node: ast.expr) -> tuple[ast.expr, tuple[ast.Attribute, ...]]:
    """What stands before a chain of attributes, and the chain."""
    attributes: list[ast.Attribute] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node)
        node = node.value
    return node, tuple(reversed(attributes))


def _tells_more(setting: MockSetting, *, than: MockSetting) -> bool:
    """Whether something is set, in the same call, on what another setting gives."""
    length = len(than.path)
    return setting.owner is than.owner and len(setting.path) > length and setting.path[:length] == than.path
