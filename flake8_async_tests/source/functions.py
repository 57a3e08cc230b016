"""Functions and classes of one file."""

from __future__ import annotations

import ast
from enum import Enum
from typing import TYPE_CHECKING

from flake8_async_tests.lazy import lazy
from flake8_async_tests.source.calls import keyword_value
from flake8_async_tests.source.decorators import Decorator, keeps_coroutine_function, keeps_plain_function
from flake8_async_tests.source.marks import NO_MARKS, Mark, Marks, marks_in_values, pytestmarks_of
from flake8_async_tests.source.outside import is_set_by_name, marks_from_outside, switch_from_outside
from flake8_async_tests.source.redefinition import is_replaced
from flake8_async_tests.source.walk import FunctionNode, Scope, arguments_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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

    @lazy
    def decorators(self) -> tuple[Decorator, ...]:
        return tuple(Decorator(self.module, node, self.outer) for node in self.node.decorator_list)

    @lazy
    def parameters(self) -> tuple[str, ...]:
        return tuple(argument.arg for argument in arguments_of(self.node))

    @lazy
    def is_generator(self) -> bool:
        return bool(self.scope.of(ast.Yield, ast.YieldFrom))

    def values_returned(self) -> Iterator[ast.expr | None]:
        """What it returns: None for a bare `return`."""
        for node in self.scope.of(ast.Return):
            assert isinstance(node, ast.Return)
            yield node.value

    def values_given(self) -> Iterator[ast.expr]:
        """What it returns or, as a generator, yields."""
        kind = ast.Yield if self.is_generator else ast.Return
        for node in self.scope.of(kind):
            assert isinstance(node, (ast.Yield, ast.Return))
            if node.value is not None:
                yield node.value

    @lazy
    def klass(self) -> Class | None:
        """The class in whose body the function stands."""
        return self.module.class_at(self.outer)

    @property
    def is_method(self) -> bool:
        return self.outer.is_class

    @property
    def is_classmethod(self) -> bool:
        return any(decorator.name == "builtins.classmethod" for decorator in self.decorators)

    @property
    def is_nested(self) -> bool:
        """Whether another function holds it, a class in between or not."""
        return self.enclosing_function is not None

    @lazy
    def enclosing_function(self) -> Function | None:
        scope: Scope | None = self.outer
        while scope is not None:
            if scope.is_function:
                return self.module.function_at(scope)
            scope = scope.parent
        return None

    @lazy
    def is_replaced(self) -> bool:
        """Whether something else stands, or may stand, under its name when its module or class is complete."""
        return is_replaced(self.node, self.outer) or self.module.names.may_be_starred_over(self.name, self.outer)

    @lazy
    def keeps_its_nature(self) -> bool:
        """Whether every decorator on it certainly leaves a coroutine function a coroutine function."""
        if not self.node.decorator_list:
            return True
        return all(keeps_coroutine_function(self.module, decorator, self.outer) for decorator in self.decorators)

    @property
    def may_become_async(self) -> bool:
        """Whether a decorator may make a coroutine function of a plain one."""
        return not self.is_async and not all(map(keeps_plain_function, self.decorators))

    @property
    def is_abstract(self) -> bool:
        return any(decorator.name == "abc.abstractmethod" for decorator in self.decorators)

    @property
    def is_coroutine_function(self) -> bool:
        return self.is_async and not self.is_generator and self.keeps_its_nature

    @lazy
    def own_marks(self) -> Marks:
        """The marks among its decorators."""
        if not self.node.decorator_list:
            return NO_MARKS
        return Marks(
            Mark(decorator.name[len("pytest.mark.") :].partition(".")[0], decorator.node, decorator.call)
            for decorator in self.decorators
            if decorator.is_mark
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
# The bases from elsewhere that bring a constructor: with one, pytest does not collect the class.
_WITH_CONSTRUCTOR = ("builtins.", "enum.", "typing.", "typing_extensions.")
_WITHOUT = {"builtins.object", "typing.Generic"}
# With one of these a class can make anything of its tests; a test case has further ways to run its methods.
_REMAKING_METHODS = frozenset({"__getattribute__", "__init_subclass__"})
_RUNNING_METHODS = _REMAKING_METHODS | {"__call__", "_callSetUp", "_callTestMethod", "run"}
# How many bases are looked at: a file of a thousand classes, each the base of the next, takes no longer than its size.
MOST_BASES = 50
_HARMLESS_CLASS_DECORATORS = {"dataclasses.dataclass", "functools.total_ordering", "enum.unique"}


def kind_of_foreign(name: str) -> ClassKind:
    """What a base of another module makes of a class."""
    is_harmless = name in _HARMLESS_BASES or name.startswith(("builtins.", "enum."))
    return _TESTCASES.get(name, ClassKind.PLAIN if is_harmless else ClassKind.UNKNOWN)


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

    @lazy
    def decorators(self) -> tuple[Decorator, ...]:
        return tuple(Decorator(self.module, node, self.outer) for node in self.node.decorator_list)

    @lazy
    def methods(self) -> dict[str, Function]:
        """Its own methods; of two with one name the later counts, as in Python."""
        return {function.name: function for function in self.module.functions_in(self.scope)}

    @lazy
    def bases(self) -> tuple[Class | str, ...]:
        """Each base: the class of this file that it is, else its qualified name, "" when it has none."""
        if not self.node.bases:
            return ()
        nodes = [base.value if isinstance(base, ast.Subscript) else base for base in self.node.bases]
        return tuple(self._local_base(node) or self.module.qualified(node, self.outer) for node in nodes)

    @lazy
    def local_bases(self) -> tuple[Class, ...]:
        return tuple(base for base in self.bases if isinstance(base, Class))

    @property
    def foreign_bases(self) -> Iterator[str]:
        """The qualified names of its bases that are no classes of this file."""
        return (base for base in self.bases if isinstance(base, str))

    def _local_base(self, node: ast.expr) -> Class | None:
        node = self.module.value_of(node, self.outer)
        within: list[str] = []
        while isinstance(node, ast.Attribute):
            within.append(node.attr)
            node = node.value
        definition = self.module.names.definition(node, self.outer) or self._definition_deleted_later(node)
        # `Holder.Base`, where one class only holds another so that pytest does not see it.
        while within and isinstance(definition, ast.ClassDef):
            holder = self.module.class_of_node(definition)
            held = holder.scope.bindings.get(within.pop(), ()) if holder is not None else ()
            definition = held[0] if len(held) == 1 else None
        if isinstance(definition, ast.ClassDef) and not within and definition is not self.node:
            return self.module.class_of_node(definition)
        return None

    def _definition_deleted_later(self, node: ast.expr) -> ast.AST | None:
        """The class behind a name that `del` takes away when the heirs are made, so that pytest does not see it."""
        owner = self.module.names.owner_of(node, self.outer) if isinstance(node, ast.Name) else None
        if owner is None or not isinstance(node, ast.Name):
            return None
        bindings = owner.bindings[node.id]
        made = [each for each in bindings if not isinstance(getattr(each, "ctx", None), ast.Del)]
        return made[0] if len(made) == 1 < len(bindings) else None

    @lazy
    def lineage(self) -> tuple[Class, ...]:
        """Itself and its bases in this file, each once, in the order in which Python looks through them."""
        return lineage_by(self, _local_bases_of) if self.local_bases else (self,)

    def is_related_to(self, other: Class) -> bool:
        """Whether one of two classes of this file inherits from the other, or is it."""
        return other in self.lineage or self in other.lineage

    @lazy
    def family(self) -> tuple[Class, ...]:
        """Itself and the classes of this file that inherit from it."""
        return (self, *self.subclasses)

    @lazy
    def subclasses(self) -> tuple[Class, ...]:
        """Every class of this file that inherits from it, directly or not."""
        return tuple(self.module.subclasses_of(self))

    @lazy
    def kind(self) -> ClassKind:
        """Where its chain of bases ends; unknown as soon as one of them is a class of another module."""
        if len(self.lineage) == MOST_BASES:
            return ClassKind.UNKNOWN
        kinds = {kind for klass in self.lineage for kind in klass.foreign_kinds()}
        for kind in (ClassKind.UNKNOWN, ClassKind.ISOLATED):
            if kind in kinds:
                return kind
        kind = ClassKind.TESTCASE if ClassKind.TESTCASE in kinds else ClassKind.PLAIN
        takes_over = _RUNNING_METHODS if kind is ClassKind.TESTCASE else _REMAKING_METHODS
        if any(not takes_over.isdisjoint(klass.methods) or klass.is_set_by_name for klass in self.lineage):
            return ClassKind.UNKNOWN
        return kind

    @property
    def may_be_remade(self) -> bool:
        """Whether anything but its bases can make something else of its tests than plain ones."""
        return self.is_set_by_name or self._is_remade_from_outside or not _REMAKING_METHODS.isdisjoint(self.methods)

    @property
    def is_set_by_name(self) -> bool:
        """Whether its constructor, or something outside, wraps the tests that it finds with the help of `setattr`."""
        constructor = self.methods.get("__init__")
        return is_set_by_name(self.module, self.node) or (
            constructor is not None
            and any(call.function is constructor for call in self.module.calls("builtins.setattr"))
        )

    def foreign_kinds(self) -> Iterator[ClassKind]:
        """What its own bases from other modules, its metaclass and its decorators say."""
        yield from map(kind_of_foreign, self.foreign_bases)
        if self._is_remade_from_outside:
            yield ClassKind.UNKNOWN

    @property
    def _is_remade_from_outside(self) -> bool:
        """Whether a metaclass or a decorator may make something else of it."""
        if self.node.keywords and not self.has_abc_for_metaclass:
            return True
        return not all(
            decorator.name in _HARMLESS_CLASS_DECORATORS or keeps_coroutine_function(self.module, decorator, self.outer)
            for decorator in self.decorators
        )

    @property
    def has_abc_for_metaclass(self) -> bool:
        return any(
            keyword.arg == "metaclass" and self.module.qualified(keyword.value, self.outer) == "abc.ABCMeta"
            for keyword in self.node.keywords
        )

    @lazy
    def is_testcase(self) -> bool:
        """Whether it is certainly a unittest class, isolated or not."""
        return self.kind in (ClassKind.TESTCASE, ClassKind.ISOLATED)

    def find_method(self, name: str) -> Function | None:
        """A method of its own or of its bases in this file."""
        for klass in self.lineage:
            if name in klass.methods:
                return klass.methods[name]
            # `test_of_the_base = None` takes it away.
            if name in klass.scope.bindings:
                return None
        return None

    def collected_users_of(self, method: Function) -> tuple[Class, ...]:
        """The collected classes, this one or heirs of it, in which a method is the one that is called."""
        return tuple(
            klass
            for klass in self.family
            if klass.may_be_collected and not klass.is_only_a_base and klass.find_method(method.name) is method
        )

    @lazy
    def own_marks(self) -> Marks:
        """The marks on the class itself: decorators and `pytestmark` in its body."""
        decorators = [decorator.node for decorator in self.decorators if decorator.is_mark]
        return marks_in_values(self.module, decorators, self.outer) + pytestmarks_of(self.module, self.scope)

    @lazy
    def marks_of_lineage(self) -> Marks:
        """Its own marks and those it inherits from bases in this file."""
        found = NO_MARKS
        for klass in self.lineage:
            found += klass.own_marks + marks_from_outside(klass.module, klass.name, klass.outer)
        return found

    @lazy
    def marks(self) -> Marks:
        """Its own marks and those it inherits from bases in this file and from classes around it."""
        around = self.module.class_at(self.outer)
        return self.marks_of_lineage + around.marks if around is not None else self.marks_of_lineage

    @lazy
    def is_collected(self) -> bool:
        """Whether pytest takes it for a class of tests."""
        if self.outer.is_function or self.module.is_switched_off or self.test_switch is False:
            return False
        if is_replaced(self.node, self.outer) or self.module.names.may_be_starred_over(self.name, self.outer):
            return False
        around = self.module.class_at(self.outer)
        # Of what stands in a test case nothing is collected, and a class of another module may make one of its heirs.
        if around is not None and (not around.is_collected or around.kind is not ClassKind.PLAIN):
            return False
        if self.is_testcase:
            return not self._is_abstract
        named_so = self.test_switch is True or self.module.patterns.matches_class(self.name)
        return named_so and not self.has_constructor and not self._is_abstract

    @property
    def is_only_a_base(self) -> bool:
        """Whether classes of this file inherit from it and pytest finds no test in it itself."""
        if not self.subclasses or self.kind is not ClassKind.PLAIN:
            return False
        matches = self.module.patterns.matches_function
        return not any(matches(name) for klass in self.lineage for name in klass.methods)

    @property
    def may_be_collected(self) -> bool:
        """Whether it is collected, or may be since some base of another module can make a TestCase of it."""
        return self.is_collected or (self.kind is ClassKind.UNKNOWN and not self.outer.is_function)

    @lazy
    def test_switch(self) -> bool | None:
        """What the nearest `__test__` says, None where there is none or it cannot be told."""
        for klass in self.lineage:
            from_outside = switch_from_outside(self.module, klass.name, klass.outer)
            if from_outside is not None:
                return from_outside
            if "__test__" in klass.scope.bindings:
                value = self.module.names.assigned_value("__test__", klass.scope)
                return bool(value.value) if isinstance(value, ast.Constant) else None
        return None

    @property
    def has_constructor(self) -> bool:
        """Whether it has an `__init__` or `__new__`, be it given by a base from elsewhere or by a decorator."""
        return any(
            not klass.methods.keys().isdisjoint(("__init__", "__new__"))
            or any(_makes_constructor(decorator) for decorator in klass.decorators)
            or any(name.startswith(_WITH_CONSTRUCTOR) and name not in _WITHOUT for name in klass.foreign_bases)
            for klass in self.lineage
        )

    @property
    def _is_abstract(self) -> bool:
        """Whether some abstract method is left for a subclass to define."""
        if not any("abc.ABC" in klass.foreign_bases or klass.has_abc_for_metaclass for klass in self.lineage):
            return False
        return any(
            method.is_abstract and self.find_method(name) is method
            for klass in self.lineage
            for name, method in klass.methods.items()
        )


def lineage_by(klass: Class, bases_of: Callable[[Class], Sequence[Class]]) -> tuple[Class, ...]:
    """A class and its bases, each once, in the order in which Python looks through them."""
    entered: set[Class] = set()
    left: list[Class] = []
    todo: list[tuple[Class, bool]] = [(klass, False)]
    while todo:
        each, is_done = todo.pop()
        if is_done:
            left.append(each)
        elif each not in entered and len(entered) < MOST_BASES:
            entered.add(each)
            todo.append((each, True))
            todo += [(base, False) for base in bases_of(each)]
    # The last base is left first: backwards, each class stands before its bases, and these in their order.
    left.reverse()
    return tuple(left)


def _local_bases_of(klass: Class) -> tuple[Class, ...]:
    return klass.local_bases


def _makes_constructor(decorator: Decorator) -> bool:
    if decorator.name != "dataclasses.dataclass":
        return False
    given = keyword_value(decorator.call, "init") if decorator.call is not None else None
    return not (isinstance(given, ast.Constant) and given.value is False)
