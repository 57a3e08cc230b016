"""Everything in a function that configures mocks, in the order of the file."""

from __future__ import annotations

import ast
from bisect import bisect_right, insort
from typing import TYPE_CHECKING

from flake8_async_tests.inference.mocks.events import Event, start_of
from flake8_async_tests.inference.mocks.holders import may_lead_to_mock
from flake8_async_tests.inference.replacing.mock_values import RETURN_VALUE, SIDE_EFFECT, Given
from flake8_async_tests.inference.replacing.patches import configured_by, has_unseen
from flake8_async_tests.inference.values.bindings import bound_in, leaves_of
from flake8_async_tests.inference.values.flow import Kind, bindings_at
from flake8_async_tests.inference.values.receivers import class_of_first_parameter, is_method_of_file
from flake8_async_tests.lazy import lazy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flake8_async_tests.inference.mocks.known import Mocks
    from flake8_async_tests.inference.replacing.mock_values import Origin, Path
    from flake8_async_tests.inference.replacing.patches import Patch
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_KINDS = frozenset(
    {ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Delete, ast.With, ast.AsyncWith, ast.For, ast.Call, ast.Yield}
)
# What these make of the mock that they get is not followed.
_OPAQUE = frozenset({"unittest.mock.seal"})


class Timeline:
    """Events of one kind in the order in which they end, scope by scope."""

    def __init__(self) -> None:
        self._by_scope: dict[Scope, list[Event]] = {}

    def add(self, event: Event) -> None:
        insort(self._by_scope.setdefault(event.scope, []), event, key=_end)

    def all(self) -> list[Event]:
        """Every event, in the order of the file."""
        found = [event for events in self._by_scope.values() for event in events]
        return found if len(self._by_scope) == 1 else sorted(found, key=_end)

    def is_in_other_than(self, scope: Scope) -> bool:
        """Whether there are events outside of a scope."""
        return scope not in self._by_scope or len(self._by_scope) > 1

    def before(self, place: tuple[int, int], scope: Scope) -> Iterator[Event]:
        """What ends in a scope before a place, the last first."""
        events = self._by_scope.get(scope, [])
        for position in range(bisect_right(events, place, key=_end) - 1, -1, -1):
            yield events[position]

    def is_between(self, start: tuple[int, int], end: tuple[int, int], scope: Scope) -> bool:
        """Whether anything in a scope ends between two places."""
        events = self._by_scope.get(scope, [])
        return bisect_right(events, start, key=_end) < bisect_right(events, end, key=_end)


class Ledger:
    """What configures mocks in one outermost function. It is asked while it is being filled."""

    def __init__(self) -> None:
        self._given: dict[tuple[Origin | None, Path], Timeline] = {}
        self._handed: dict[tuple[Origin | None, Path], Timeline] = {}

    def values(self, origin: Origin, path: Path) -> list[Timeline]:
        """What gives a path a value, and what may: the same attribute of something that may be any mock."""
        return [self._given[key] for key in keys_of(origin, path) if key in self._given]

    def hands_on(self, origin: Origin, path: Path) -> list[Timeline]:
        """What hands the mock, or a part of it on the way, to what may configure it."""
        if not self._handed:
            return []
        keys = ((origin, path[:length]) for length in range(len(path)))
        return [self._handed[key] for key in keys if key in self._handed]

    def given_paths(self) -> Iterable[tuple[Origin | None, Path]]:
        return self._given

    def handed_paths(self) -> Iterable[tuple[Origin | None, Path]]:
        return self._handed

    def fill(self, module: Module, mocks: Mocks, scopes: Sequence[Scope]) -> None:
        """Read what stands in these scopes, the outer ones first."""
        for scope in scopes:
            nodes = [node for node in scope.nodes if node.__class__ in _KINDS]
            nodes.sort(key=start_of)
            reader = _Reader(module, mocks, self, scope)
            for node in nodes:
                reader.read(node)

    def add(self, event: Event) -> None:
        """Note that a path was given a value, or perhaps one of several mocks' path."""
        paths = [event.path]
        if event.origin is None and len(event.path) > 1:
            # `service.client.return_value = 1` is for the `client` of any mock, or for a mock that is the client.
            paths.append(("", event.path[-1]))
        for path in paths:
            self._given.setdefault((event.origin, path), Timeline()).add(event)

    def add_handed(self, event: Event) -> None:
        """Note that everything below a path may have been configured."""
        self._handed.setdefault((event.origin, event.path), Timeline()).add(event)


def keys_of(origin: Origin, path: Path) -> Iterable[tuple[Origin | None, Path]]:
    """Where it may be noted what a path of a mock is given: as its own, or as one of what may be any mock."""
    return (origin, path), (None, path[-1:]), (None, ("", *path)[-2:])


def _end(event: Event) -> tuple[int, int]:
    return event.end


class _Reader:
    """Reads what one scope configures."""

    def __init__(self, module: Module, mocks: Mocks, ledger: Ledger, scope: Scope) -> None:
        self._module = module
        self._mocks = mocks
        self._ledger = ledger
        self._scope = scope
        self._entered: dict[ast.Call, ast.With | ast.AsyncWith] = {}

    def read(self, node: ast.AST) -> None:
        if isinstance(node, ast.Call):
            self._call(node)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                if isinstance(item.context_expr, ast.Call):
                    self._entered[item.context_expr] = node
                if item.optional_vars is not None:
                    self._assignment(item.optional_vars, None, item.optional_vars)
        elif isinstance(node, ast.Yield):
            # A fixture hands it to tests, which may configure it.
            for part in node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]:
                if part is not None:
                    self._hide(part, node)
        elif isinstance(node, (ast.Assign, ast.Delete)):
            for target in node.targets:
                self._assignment(target, node.value if isinstance(node, ast.Assign) else None, node)
        elif isinstance(node, ast.AnnAssign):
            if node.value is not None:
                self._assignment(node.target, node.value, node)
        else:
            assert isinstance(node, (ast.AugAssign, ast.For))
            self._assignment(node.target, None, node.target)

    def _assignment(self, target: ast.expr, value: ast.expr | None, node: ast.AST) -> None:
        if isinstance(target, ast.Subscript):
            looked_up = self._owner_of_looked_up(target.value)
            if looked_up is not None:
                self._hide(looked_up, node)
            return
        for leaf, part in leaves_of(target, value):
            if isinstance(leaf, ast.Attribute):
                instance = self._instance_of(leaf.value)
                looked_up = self._owner_of_looked_up(leaf)
                if instance is not None:
                    # What its class is given is a descriptor, as a rule.
                    self._give(instance, (leaf.attr,), None, node)
                elif looked_up is not None:
                    self._hide(looked_up, node)
                elif self._may_reach(leaf.value):
                    self._give(leaf.value, (leaf.attr,), part, node)

    def _may_reach(self, node: ast.expr) -> bool:
        return self._mocks.names.may_hold(node) or self._leads_to_some(node)

    def _leads_to_some(self, node: ast.expr) -> bool:
        return may_lead_to_mock(self._module, self._mocks, node, self._scope)

    def _owner_of_looked_up(self, node: ast.expr) -> ast.expr | None:
        """`mock` in `getattr(mock, name)`, `vars(mock)` and `mock.__dict__`, whatever stands behind that."""
        while isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)):
            owner = self._with_attributes(node)
            if owner is not None:
                return owner
            if isinstance(node, ast.Call):
                if node.args and self._module.qualified(node.func, self._scope) == "builtins.getattr":
                    return node.args[0]
                node = node.func
            else:
                node = node.value
        return None

    def _instance_of(self, node: ast.expr) -> ast.expr | None:
        """`mock` in `type(mock)`, where that may be a mock: each mock has a class of its own."""
        if not isinstance(node, ast.Call) or len(node.args) != 1 or not self._mocks.names.may_hold(node.args[0]):
            return None
        return node.args[0] if self._module.qualified(node.func, self._scope) == "builtins.type" else None

    def _give(
        self,
        base: ast.expr,
        path: Path,
        value: ast.expr | None,
        node: ast.AST,
        within: ast.With | ast.AsyncWith | None = None,
    ) -> None:
        mocks = self._mocks.at(base, self._scope)
        if not mocks and not self._mocks.is_foreign(base, self._scope):
            self._ledger.add(Event(None, path[-1:], None, node, self._scope, within))
        elif not mocks and self._leads_to_some(base):
            self._ledger.add(Event(None, _with_attribute_told(base, path), None, node, self._scope, within))
        for mock in mocks:
            owners = self._mocks.descendant(mock, path[:-1], base, self._scope)
            if not owners:
                self._ledger.add(Event(None, path[-1:], None, node, self._scope, within))
            for owner in owners:
                full = (*owner.path, path[-1])
                is_certain = len(mocks) == len(owners) == 1
                given = Given(full, value, value, self._scope) if is_certain and value is not None else None
                self._ledger.add(Event(owner.origin, full, given, node, self._scope, within))

    def _call(self, call: ast.Call) -> None:
        function = call.func
        if isinstance(function, ast.Attribute):
            if function.attr == "configure_mock":
                self._configure(function.value, call)
                return
            if function.attr == "attach_mock" and len(call.args) == 2:
                self._give(function.value, (_text(call.args[1]),), call.args[0], call)
                return
            if function.attr == "mock_add_spec":
                self._hide(function.value, call)
                return
            base = self._with_attributes(function.value) if function.attr == "update" else None
            if base is not None:
                self._hide(base, call)
                return
        if isinstance(function, ast.Name) and function.id == "setattr" and len(call.args) == 3:
            self._set(call.args[0], call.args[1], call.args[2], call)
            return
        patch = self._mocks.patch(call, self._scope)
        if patch is not None:
            self._patch(patch)
        elif isinstance(function, ast.Attribute) and function.attr == "multiple" and call.args:
            self._hide(call.args[0], call)
        else:
            arguments = (*call.args, *(keyword.value for keyword in call.keywords))
            handed = [argument for argument in arguments if self._mocks.names.may_hold(argument)]
            if handed and self._may_configure(call):
                for argument in handed:
                    self._hide(argument, call)
            if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
                self._hide_own(function.value, function.attr, call)

    def _hide_own(self, owner: ast.Name, method: str, call: ast.Call) -> None:
        """`self.prepare()`: a method of the class sets something on a mock that the caller gave to `self`."""
        given = self._given_to_attributes.get(owner.id)
        klass = class_of_first_parameter(self._module, owner, self._scope) if given else None
        called = klass.find_method(method) if klass is not None else None
        if given is None or called is None:
            return
        set_there = [path.partition(".")[2] for path in bound_in(self._module, called.scope)]
        for attribute, value in given:
            if any(path.startswith(f"{attribute}.") for path in set_there):
                self._hide(value, call)

    @lazy
    def _given_to_attributes(self) -> dict[str, list[tuple[str, ast.expr]]]:
        """What may be a mock and was given to an attribute of a name, by the name."""
        found: dict[str, list[tuple[str, ast.expr]]] = {}
        for path, bindings in bound_in(self._module, self._scope).items():
            owner, _, attribute = path.partition(".")
            if attribute:
                values = [binding.value for binding in bindings if binding.value is not None]
                may_be_mocks = [(attribute, value) for value in values if self._mocks.names.may_hold(value)]
                found.setdefault(owner, []).extend(may_be_mocks)
        return found

    def _with_attributes(self, node: ast.expr) -> ast.expr | None:
        """`mock` in `mock.__dict__` and `vars(mock)`, the dictionary of its attributes."""
        if isinstance(node, ast.Attribute):
            return node.value if node.attr == "__dict__" else None
        if not isinstance(node, ast.Call) or len(node.args) != 1:
            return None
        return node.args[0] if self._module.qualified(node.func, self._scope) == "builtins.vars" else None

    def _configure(self, base: ast.expr, call: ast.Call) -> None:
        if has_unseen(call):
            self._hide(base, call)
        for given in configured_by(call, self._scope):
            self._give(base, given.path, given.value, call)

    def _patch(self, patch: Patch) -> None:
        if patch.attribute is None:
            return
        value = patch.new if patch.new is not None else patch.call
        self._set(patch.target, patch.attribute, value, patch.call, self._entered.get(patch.call))

    def _set(
        self,
        base: ast.expr,
        name: ast.expr,
        value: ast.expr,
        call: ast.Call,
        within: ast.With | ast.AsyncWith | None = None,
    ) -> None:
        instance = self._instance_of(base)
        if instance is not None:
            self._give(instance, (_text(name),), None, call, within)
            return
        if not self._may_reach(base):
            return
        if _text(name):
            self._give(base, (_text(name),), value, call, within)
        else:
            self._hide(base, call)

    def _hide(self, base: ast.expr, node: ast.AST) -> None:
        for mock in self._mocks.at(base, self._scope):
            self._ledger.add_handed(Event(mock.origin, mock.path, None, node, self._scope))

    def _may_configure(self, call: ast.Call) -> bool:
        """Whether it calls a function of this file, or one that a fixture made."""
        function = call.func
        scope = self._scope
        if isinstance(function, ast.Name):
            definition = self._module.names.definition(function, scope)
            if isinstance(definition, (ast.FunctionDef, ast.AsyncFunctionDef)):
                return True
            if isinstance(definition, ast.ClassDef):
                return self._sets_up_what_it_gets(definition)
            bindings = bindings_at(self._module, function, scope)
            if any(binding.kind is Kind.PARAMETER for binding in bindings):
                return not self._mocks.at(function, scope)
            if any(isinstance(binding.value, ast.Lambda) for binding in bindings):
                return True
        elif isinstance(function, ast.Attribute) and is_method_of_file(self._module, function, scope):
            return True
        name = self._module.qualified(function, scope)
        return name in _OPAQUE or _is_helper(name)

    def _sets_up_what_it_gets(self, definition: ast.ClassDef) -> bool:
        """Whether a class of this file sets something on an argument when an instance is made."""
        klass = self._module.class_of_node(definition)
        made_by = klass.find_method("__init__") if klass is not None else None
        if made_by is None:
            return False
        paths = (path.partition(".") for path in bound_in(self._module, made_by.scope))
        return any(attribute and root in made_by.parameters[1:] for root, _, attribute in paths)


def _with_attribute_told(base: ast.expr, path: Path) -> Path:
    """The last attribute of a path, and for what a call does or gives the one before: that which is called."""
    if path[-1] not in (RETURN_VALUE, SIDE_EFFECT):
        return path[-1:]
    return (*((base.attr,) if isinstance(base, ast.Attribute) else ()), *path)[-2:]


def _is_helper(name: str) -> bool:
    """Whether a function was imported from what helps with tests, by where it stands."""
    if name.startswith(".") and not name.startswith(".."):
        return True
    return any(part == "conftest" or part.startswith(("test", "helper")) for part in name.split(".")[:-1])


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
