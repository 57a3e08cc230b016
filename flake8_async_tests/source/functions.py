"""Functions and classes of one file."""

from __future__ import annotations

import ast
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

from flake8_async_tests.source.decorators import Decorator, keeps_coroutine_function
from flake8_async_tests.source.marks import NO_MARKS, Mark, Marks, marks_in_value, pytestmarks_of
from flake8_async_tests.source.walk import FunctionNode, Scope, arguments_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module


class Function:
    """A `def` or `async def` of this file, nested ones too."""

    def __init__(self, module: Module, scope: Scope) -> None:
        assert isinstance(scope.node, (ast.FunctionDef, ast.AsyncFunctionDef))
        assert scope.parent is not None
        self.module = module
        self.scope = scope
        self.node: FunctionNode = scope.node
        self.name = scope.node.name
        self.is_async = scope.node.__class__ is ast.AsyncFunctionDef
        self.outer = scope.parent

    def __repr__(self) -> str:
        return f"<Function {self.name} line {self.node.lineno}>"

    @cached_property
    def decorators(self) -> tuple[Decorator, ...]:
        return tuple(Decorator(self.module, node, self.outer) for node in self.node.decorator_list)

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        return tuple(argument.arg for argument in arguments_of(self.node))

    @cached_property
    def is_generator(self) -> bool:
        return bool(self.scope.of(ast.Yield, ast.YieldFrom))

    @cached_property
    def klass(self) -> Class | None:
        """The class in whose body the function stands."""
        return self.module.class_at(self.outer)

    @property
    def is_method(self) -> bool:
        return self.outer.is_class

    @property
    def is_nested(self) -> bool:
        """Whether another function holds it, a class in between or not."""
        return self.enclosing_function is not None

    @cached_property
    def enclosing_function(self) -> Function | None:
        scope: Scope | None = self.outer
        while scope is not None:
            if scope.is_function:
                return self.module.function_at(scope)
            scope = scope.parent
        return None

    @cached_property
    def keeps_its_nature(self) -> bool:
        """Whether every decorator on it certainly leaves a coroutine function a coroutine function."""
        if not self.node.decorator_list:
            return True
        return all(keeps_coroutine_function(self.module, decorator, self.outer) for decorator in self.decorators)

    @property
    def is_coroutine_function(self) -> bool:
        return self.is_async and not self.is_generator and self.keeps_its_nature

    @cached_property
    def own_marks(self) -> Marks:
        """The marks among its decorators."""
        if not self.node.decorator_list:
            return NO_MARKS
        return Marks(
            tuple(
                Mark(decorator.name[len("pytest.mark.") :].partition(".")[0], decorator.node, decorator.call)
                for decorator in self.decorators
                if decorator.is_mark
            )
        )


class ClassKind(Enum):
    """Where a class's bases end."""

    PLAIN = "plain"
    TESTCASE = "unittest.TestCase"
    ISOLATED = "unittest.IsolatedAsyncioTestCase"
    UNKNOWN = "a class of another module"


_TESTCASES = {
    "unittest.TestCase": ClassKind.TESTCASE,
    "unittest.FunctionTestCase": ClassKind.TESTCASE,
    "unittest.IsolatedAsyncioTestCase": ClassKind.ISOLATED,
}
_HARMLESS_BASES = {"abc.ABC", "typing.Generic", "typing.Protocol", "typing_extensions.Protocol", "typing.NamedTuple"}
_HARMLESS_CLASS_DECORATORS = {"dataclasses.dataclass", "functools.total_ordering", "enum.unique"}


class Class:
    """A class of this file."""

    def __init__(self, module: Module, scope: Scope) -> None:
        assert isinstance(scope.node, ast.ClassDef)
        assert scope.parent is not None
        self.module = module
        self.scope = scope
        self.node = scope.node
        self.name = scope.node.name
        self.outer = scope.parent

    def __repr__(self) -> str:
        return f"<Class {self.name} line {self.node.lineno}>"

    @cached_property
    def decorators(self) -> tuple[Decorator, ...]:
        return tuple(Decorator(self.module, node, self.outer) for node in self.node.decorator_list)

    @cached_property
    def methods(self) -> dict[str, Function]:
        """Its own methods; of two with one name the later counts, as in Python."""
        return {function.name: function for function in self.module.functions_in(self.scope)}

    @cached_property
    def local_bases(self) -> tuple[Class, ...]:
        found = []
        for base in self.node.bases:
            local = self._local_base(base)
            if local is not None:
                found.append(local)
        return tuple(found)

    def _local_base(self, base: ast.expr) -> Class | None:
        node = base.value if isinstance(base, ast.Subscript) else base
        definition = self.module.names.definition(self.module.value_of(node, self.outer), self.outer)
        if isinstance(definition, ast.ClassDef) and definition is not self.node:
            return self.module.class_of_node(definition)
        return None

    @cached_property
    def lineage(self) -> tuple[Class, ...]:
        """Itself and its bases in this file, nearest first, each once."""
        found: dict[int, Class] = {}
        todo: list[Class] = [self]
        while todo:
            klass = todo.pop(0)
            if id(klass) not in found:
                found[id(klass)] = klass
                todo.extend(klass.local_bases)
        return tuple(found.values())

    @cached_property
    def family(self) -> tuple[Class, ...]:
        """Itself and the classes of this file that inherit from it."""
        return (self, *self.subclasses)

    @cached_property
    def subclasses(self) -> tuple[Class, ...]:
        """Every class of this file that inherits from it, directly or not."""
        return tuple(self.module.subclasses_of(self))

    @cached_property
    def kind(self) -> ClassKind:
        """Where its chain of bases ends; unknown as soon as one of them is a class of another module."""
        kinds = {kind for klass in self.lineage for kind in klass.foreign_kinds()}
        for kind in (ClassKind.UNKNOWN, ClassKind.ISOLATED, ClassKind.TESTCASE):
            if kind in kinds:
                return kind
        return ClassKind.PLAIN

    def foreign_kinds(self) -> Iterator[ClassKind]:
        """What its own bases from other modules, its metaclass and its decorators say."""
        for base in self.node.bases:
            if self._local_base(base) is None:
                yield self._foreign_kind(base)
        for keyword in self.node.keywords:
            if keyword.arg != "metaclass" or self.module.qualified(keyword.value, self.outer) != "abc.ABCMeta":
                yield ClassKind.UNKNOWN
        for decorator in self.decorators:
            harmless = decorator.name in _HARMLESS_CLASS_DECORATORS
            if not harmless and not keeps_coroutine_function(self.module, decorator, self.outer):
                yield ClassKind.UNKNOWN

    def _foreign_kind(self, base: ast.expr) -> ClassKind:
        node = base.value if isinstance(base, ast.Subscript) else base
        name = self.module.qualified(node, self.outer)
        if name in _TESTCASES:
            return _TESTCASES[name]
        if name in _HARMLESS_BASES or name.startswith(("builtins.", "enum.")):
            return ClassKind.PLAIN
        return ClassKind.UNKNOWN

    @property
    def is_testcase(self) -> bool:
        """Whether it is certainly a unittest class, isolated or not."""
        return self.kind in (ClassKind.TESTCASE, ClassKind.ISOLATED)

    def find_method(self, name: str) -> Function | None:
        """A method of its own or of its bases in this file."""
        for klass in self.lineage:
            if name in klass.methods:
                return klass.methods[name]
        return None

    def collected_users_of(self, method: Function) -> tuple[Class, ...]:
        """The collected classes, this one or heirs of it, in which a method is the one that is called."""
        return tuple(
            klass for klass in self.family if klass.may_be_collected and klass.find_method(method.name) is method
        )

    @cached_property
    def own_marks(self) -> Marks:
        """The marks on the class itself: decorators and `pytestmark` in its body."""
        found = NO_MARKS
        for decorator in self.decorators:
            if decorator.is_mark:
                found += marks_in_value(self.module, decorator.node, self.outer)
        return found + pytestmarks_of(self.module, self.scope)

    @cached_property
    def marks(self) -> Marks:
        """Its own marks and those it inherits from bases in this file and from classes around it."""
        found = NO_MARKS
        for klass in self.lineage:
            found += klass.own_marks
        around = self.module.class_at(self.outer)
        return found + around.marks if around is not None else found

    @cached_property
    def is_collected(self) -> bool:
        """Whether pytest takes it for a class of tests."""
        if self.outer.is_function or self._opts_out():
            return False
        around = self.module.class_at(self.outer)
        if around is not None and (not around.is_collected or around.is_testcase):
            return False
        if self.is_testcase:
            return True
        if any(name in klass.methods for klass in self.lineage for name in ("__init__", "__new__")):
            return False
        return self.module.patterns.matches_class(self.name)

    @property
    def may_be_collected(self) -> bool:
        """Whether it is collected, or may be since some base of another module can make a TestCase of it."""
        return self.is_collected or (self.kind is ClassKind.UNKNOWN and not self.outer.is_function)

    def _opts_out(self) -> bool:
        """Whether `__test__ = False` says that it is no test."""
        for klass in self.lineage:
            values = [
                node.value
                for node in klass.scope.of(ast.Assign)
                if isinstance(node, ast.Assign)
                and any(isinstance(target, ast.Name) and target.id == "__test__" for target in node.targets)
            ]
            if values:
                last = values[-1]
                return isinstance(last, ast.Constant) and not last.value
        return False
