"""Every place that gives an attribute a value where mocks are about: assignments, keywords, calls that configure."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from flake8_async_tests.inference.bindings import MAXIMUM_PATH, leaves_of
from flake8_async_tests.inference.mock_values import RETURN_VALUE, SIDE_EFFECT
from flake8_async_tests.inference.mocks import mocks_of
from flake8_async_tests.inference.patches import configured_by, keywords_for_mock
from flake8_async_tests.lazy import lazy
from flake8_async_tests.record import unique_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from flake8_async_tests.inference.mock_values import Mock, Path
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


class _Place:
    """One place that may give values, and a way to those that it gives."""

    def __init__(self, give: Callable[[Any, Scope], Iterator[MockSetting]], node: ast.AST, scope: Scope) -> None:
        self._give = give
        self._node = node
        self._scope = scope

    @lazy
    def settings(self) -> list[MockSetting]:
        return list(self._give(self._node, self._scope))


class MockSettings:
    """The values given to attributes in a file, by each of the attributes on the way.

    What a place gives is worked out when one of the words that stand there is asked for: most never are.
    """

    def __init__(self, module: Module) -> None:
        self._module = module
        self._mocks = mocks_of(module)
        self._places: list[_Place] = []
        self._by_word: dict[str, list[_Place]] = {}
        for words, place in (*self._assignments(), *self._in_classes(), *self._calls()):
            self._places.append(place)
            for word in words:
                if word in self._by_word:
                    self._by_word[word].append(place)
                else:
                    self._by_word[word] = [place]

    def all(self) -> list[MockSetting]:
        """Every one of them."""
        return [setting for place in self._places for setting in place.settings]

    def naming(self, *names: str) -> list[MockSetting]:
        """Those whose path goes through one of these attributes, in the order of the file."""
        found = dict.fromkeys(
            setting
            for name in names
            for place in self._by_word.get(name, ())
            for setting in place.settings
            if name in setting.path
        )
        return sorted(found, key=lambda setting: (setting.value.lineno, setting.value.col_offset))

    def mocks(self, setting: MockSetting, length: int) -> tuple[Mock, ...]:
        """What mock there is after so many attributes of the path."""
        if setting.owner is None:
            return ()
        written = min(length, len(setting.attributes))
        start = setting.attributes[written - 1] if written else setting.owner
        patch = self._mocks.patch(start, setting.scope) if isinstance(start, ast.Call) else None
        found = self._mocks.put_there_by(patch) if patch is not None else self._mocks.at(start, setting.scope)
        rest = setting.path[written:length]
        ends = [self._mocks.descendant(mock, rest, setting.value, setting.scope) for mock in found]
        return tuple(mock for end in ends for mock in end) if all(ends) else ()

    def _assignments(self) -> Iterator[tuple[set[str], _Place]]:
        for assignment, scope in self._module.index.settings:
            words = _words_of(assignment.targets)
            if words:
                yield words, _Place(_assigned, assignment, scope)
        for node, scope in self._module.of_kind(ast.AnnAssign):
            words = _words_of([node.target]) if node.value is not None else set()
            if words:
                yield words, _Place(_annotated, node, scope)

    def _in_classes(self) -> Iterator[tuple[set[str], _Place]]:
        """`__aexit__ = AsyncMock()` in the body of a class."""
        for node, scope in self._module.of_kind(ast.Assign):
            if scope.is_class:
                yield {target.id for target in node.targets if isinstance(target, ast.Name)}, _Place(_own, node, scope)

    def _calls(self) -> Iterator[tuple[set[str], _Place]]:
        calls = self._module.index.calls
        for name in sorted(self._mocks.names.makers):
            for call, scope, _ in calls.get(name, ()):
                if call.keywords or len(call.args) > 1:
                    yield _words_in(call), _Place(self._in_maker, call, scope)
        for call, scope, _ in calls.get("setattr", ()):
            yield _words_in(call), _Place(self._in_setattr, call, scope)
        for call, scope, _ in calls.get("configure_mock", ()):
            if isinstance(call.func, ast.Attribute):
                yield _words_in(call) | _words_of([call.func.value]), _Place(_configured, call, scope)

    def _in_maker(self, call: ast.Call, scope: Scope) -> Iterator[MockSetting]:
        origin = self._mocks.constructed(call, scope)
        for given in origin.given if origin is not None else ():
            yield MockSetting(call, (), given.path, given.value, given.node, scope)
        yield from self._in_patch(call, scope)

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
        """`setattr(mock, "__aexit__", AsyncMock())`, for those who assign like this, or a patch by that name."""
        yield from self._in_patch(call, scope)
        if len(call.args) != 3 or self._module.qualified(call.func, scope) != "builtins.setattr":
            return
        name = call.args[1]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            owner, attributes = _taken_apart(call.args[0])
            path = (*(attribute.attr for attribute in attributes), name.value)
            yield MockSetting(owner, attributes, path, call.args[2], call, scope)


def _assigned(node: ast.Assign, scope: Scope) -> Iterator[MockSetting]:
    for target in node.targets:
        yield from _set_by(target, node.value, node, scope)


def _annotated(node: ast.AnnAssign, scope: Scope) -> Iterator[MockSetting]:
    assert node.value is not None
    yield from _set_by(node.target, node.value, node, scope)


def _own(node: ast.Assign, scope: Scope) -> Iterator[MockSetting]:
    names = [target.id for target in node.targets if isinstance(target, ast.Name)]
    return (MockSetting(None, (), (name,), node.value, node, scope) for name in names)


def _configured(call: ast.Call, scope: Scope) -> Iterator[MockSetting]:
    assert isinstance(call.func, ast.Attribute)
    for given in configured_by(call, scope):
        owner, attributes = _taken_apart(call.func.value)
        path = (*(attribute.attr for attribute in attributes), *given.path)
        yield MockSetting(owner, attributes, path, given.value, given.node, scope)


def _set_by(target: ast.expr, value: ast.expr, node: ast.stmt, scope: Scope) -> Iterator[MockSetting]:
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


# -- the words, of which a path may be made ----------------------------------------------------------------------------


def _words_of(targets: Iterable[ast.expr]) -> set[str]:
    """The attributes in what is assigned to."""
    found: set[str] = set()
    for target in targets:
        if target.__class__ is not ast.Attribute and not isinstance(target, (ast.Tuple, ast.List)):
            continue
        for leaf, _ in leaves_of(target, None):
            node: ast.expr = leaf
            while node.__class__ is ast.Attribute:
                found.add(node.attr)
                node = node.value
    return found


def _words_in(call: ast.Call) -> set[str]:
    """The keywords of a call, the attributes and the texts among its arguments, and what a mock takes by position."""
    found = {RETURN_VALUE, SIDE_EFFECT} if len(call.args) > 1 else set()
    todo = [*call.args]
    for keyword in call.keywords:
        todo.append(keyword.value)
        if keyword.arg is not None:
            found.add(keyword.arg)
        elif isinstance(keyword.value, ast.Dict):
            found.update(name for key in keyword.value.keys for name in _text_of(key).split("."))
    for argument in todo:
        if argument.__class__ is ast.Constant:
            found.add(_text_of(argument))
        elif argument.__class__ is ast.Attribute:
            found |= _words_of([argument])
    return found


def _text_of(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
