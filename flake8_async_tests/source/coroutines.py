"""What is a coroutine function by its definition, and what a class makes of the name of one."""

from __future__ import annotations

import ast
from enum import Enum
from typing import TYPE_CHECKING, Protocol, TypeAlias

from flake8_async_tests.record import record
from flake8_async_tests.source.annotations import class_annotated
from flake8_async_tests.source.decorators import keeps_coroutine_function
from flake8_async_tests.source.signatures import Signature, signature_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.decorators import Decorator
    from flake8_async_tests.source.functions import Class, Function

# How many bases of bases are followed.
_MOST_STEPS = 8

# Bases that bring no coroutine functions of the project and do nothing to those of the class.
_HARMLESS_BASES = frozenset(
    {
        "abc.ABC",
        "typing.Generic",
        "typing.Protocol",
        "typing_extensions.Protocol",
        "unittest.IsolatedAsyncioTestCase",
        "unittest.TestCase",
    }
)
_HARMLESS_CLASS_DECORATORS = frozenset(
    {
        "attr.attrs",
        "attr.define",
        "attr.s",
        "attrs.define",
        "dataclasses.dataclass",
        "functools.total_ordering",
        "typing.final",
        "typing.runtime_checkable",
        "typing_extensions.final",
        "typing_extensions.runtime_checkable",
    }
)
# Besides those under which a test stays a test.
_FURTHER_KEEPERS = frozenset({"abc.abstractmethod", "functools.wraps"})
_CHANGE_NO_SIGNATURE = frozenset(
    {
        "abc.abstractmethod",
        "builtins.classmethod",
        "builtins.staticmethod",
        "typing.final",
        "typing.override",
        "typing_extensions.final",
        "typing_extensions.override",
    }
)
_AWAITABLES = frozenset({"asyncio.Future", "asyncio.Task"})


class Other(Enum):
    """What a name means that is not known to be a coroutine function."""

    SOMETHING = "something else, or too much at once"
    GIVES_SELF = "a plain method that gives back its instance"
    GIVES_AWAITABLE = "what a decorator makes of a coroutine function that gives something to be awaited in turn"
    UNSEEN = "something that cannot be seen"
    ABSENT = "nothing"


class Takes(Enum):
    """What Python itself puts in front of the arguments of a call."""

    NOTHING = "a plain or static function"
    INSTANCE = "a method"
    CLASS = "a class method"


@record
class CoroutineFunction:
    """An `async def` that is certainly what its name means, and that gives a coroutine when it is called."""

    signature: Signature | None
    takes: Takes
    is_abstract: bool
    """Whether it only stands for what a subclass does, which may be something else than a coroutine."""
    gives_self: bool = False
    """Whether it is a method that gives back its instance."""
    gives_awaitable: bool = False
    """Whether, by its annotation, what it comes to is to be awaited in turn: a task."""

    def accepts(self, call: ast.Call, *, through_instance: bool) -> bool:
        """Whether a call gives a coroutine instead of a TypeError."""
        if self.signature is None:
            return True
        bound = self.takes is Takes.CLASS or (self.takes is Takes.INSTANCE and through_instance)
        return self.signature.accepts(call, bound=int(bound))


Member: TypeAlias = CoroutineFunction | Other


class ClassFacts(Protocol):
    """A class, be it of the file at hand or of another one."""

    @property
    def is_plain(self) -> bool:
        """Whether no decorator and no metaclass can make something else of it."""

    def own(self, name: str) -> Member:
        """What its own body makes of a name."""

    def bases(self) -> Iterator[ClassFacts | None]:
        """Its bases in their order, None for one that cannot be seen."""


def find_method(klass: ClassFacts, name: str, steps: int = _MOST_STEPS) -> Member:
    """What an attribute of a class or of its instances is by the bodies of the class and its bases."""
    own = klass.own(name)
    return find_inherited(klass, name, steps) if own is Other.ABSENT else own


def find_inherited(klass: ClassFacts, name: str, steps: int = _MOST_STEPS) -> Member:
    """What the bases of a class make of a name."""
    answers: list[Member] = []
    for base in klass.bases():
        answer = find_method(base, name, steps - 1) if base is not None and steps else Other.UNSEEN
        if answer is not Other.ABSENT:
            answers.append(answer)
    if not answers:
        return Other.ABSENT
    # Where bases share a base, a later one may come before an earlier one's: they have to agree.
    kinds = {type(answer) for answer in answers if answer is not Other.UNSEEN}
    return Other.SOMETHING if Other.SOMETHING in answers or len(kinds) > 1 else answers[0]


def coroutine_function_of(function: Function) -> Member:
    """What the name of a function means when nothing else binds it."""
    if function.is_generator:
        return Other.SOMETHING
    if not function.is_async:
        return Other.GIVES_SELF if _gives_self(function) and not function.decorators else Other.SOMETHING
    if function.outer.is_class and function.node not in function.outer.body():
        # Where the condition does not hold a base may have something else.
        return Other.SOMETHING
    if any(_makes_something_else(decorator) for decorator in function.decorators) or not _keeps(function):
        return Other.GIVES_AWAITABLE if _gives_awaitable(function) else Other.SOMETHING
    decorators = [decorator.name for decorator in function.decorators]
    if not function.is_method or "builtins.staticmethod" in decorators:
        takes = Takes.NOTHING
    else:
        takes = Takes.CLASS if "builtins.classmethod" in decorators else Takes.INSTANCE
    return CoroutineFunction(
        signature=signature_of(function.node) if _CHANGE_NO_SIGNATURE.issuperset(decorators) else None,
        takes=takes,
        is_abstract="abc.abstractmethod" in decorators or _only_stands_for_others(function),
        gives_self=takes is Takes.INSTANCE and _gives_self(function),
        gives_awaitable=_gives_awaitable(function),
    )


def _makes_something_else(decorator: Decorator) -> bool:
    """Whether pytest or hypothesis still runs the function, but a call of its name does not."""
    return bool(decorator.fixture_library) or decorator.name.startswith("hypothesis.")


def _keeps(function: Function) -> bool:
    return all(
        decorator.name in _FURTHER_KEEPERS or keeps_coroutine_function(function.module, decorator, function.outer)
        for decorator in function.decorators
    )


def _only_stands_for_others(function: Function) -> bool:
    last = function.node.body[-1]
    if not isinstance(last, ast.Raise) or last.exc is None:
        return False
    raised = last.exc.func if isinstance(last.exc, ast.Call) else last.exc
    return function.module.qualified(raised, function.scope) == "builtins.NotImplementedError"


def _gives_self(function: Function) -> bool:
    """Whether a method ends with `return self`, and gives nothing else."""
    returns = function.scope.of(ast.Return)
    return (
        function.is_method
        and bool(returns)
        and function.node.body[-1] in returns
        and all(
            isinstance(node, ast.Return)
            and isinstance(node.value, ast.Name)
            and (node.value.id,) == function.parameters[:1]
            for node in returns
        )
    )


def _gives_awaitable(function: Function) -> bool:
    return class_annotated(function.module, function.node.returns, function.outer) in _AWAITABLES


def is_plain_class(klass: Class) -> bool:
    """Whether no decorator and no metaclass can make something else of a class."""
    for keyword in klass.node.keywords:
        if keyword.arg != "metaclass" or klass.module.qualified(keyword.value, klass.outer) != "abc.ABCMeta":
            return False
    return all(decorator.name in _HARMLESS_CLASS_DECORATORS or decorator.is_mark for decorator in klass.decorators)


def own_member(klass: Class, name: str) -> Member:
    """What the body of a class makes of a name."""
    if name not in klass.scope.bindings:
        return Other.ABSENT
    function = klass.methods.get(name)
    if function is None or klass.module.names.only_binding(name, klass.scope) is not function.node:
        return Other.SOMETHING
    return coroutine_function_of(function)


def bases_of(klass: Class) -> Iterator[Class | str]:
    """The bases of a class: those of its file, and of the others the qualified names, "" when that is unknown."""
    module, names = klass.module, klass.module.names
    for base in klass.node.bases:
        node = base.value if isinstance(base, ast.Subscript) else base
        definition = names.definition(names.value_of(node, klass.outer), klass.outer)
        local = module.class_of_node(definition) if isinstance(definition, ast.ClassDef) else None
        if local is not None and local is not klass:
            yield local
            continue
        name = module.qualified(node, klass.outer)
        if name not in _HARMLESS_BASES and not name.startswith("builtins."):
            yield name
