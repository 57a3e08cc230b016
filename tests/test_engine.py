"""What the engine knows of one file, asked as a rule asks."""

from __future__ import annotations

import ast
import gc
import textwrap
from typing import TYPE_CHECKING

import pytest

from flake8_async_tests.checker import Checker
from flake8_async_tests.inference.loops.known import is_event_loop
from flake8_async_tests.inference.places import reaching
from flake8_async_tests.options import Options
from flake8_async_tests.project.project import Project
from flake8_async_tests.source.calls import Call, has_double_star, keyword_value, receiver_of
from flake8_async_tests.source.functions import Class, ClassKind, Function
from flake8_async_tests.source.module import Module, is_within
from flake8_async_tests.source.names import canonical
from flake8_async_tests.source.tests import argument_names

if TYPE_CHECKING:
    from flake8_async_tests.source.walk import Scope


def module_of(text: str, path: str = "/nowhere/test_example.py", options: Options | None = None) -> Module:
    """A file that stands alone."""
    text = textwrap.dedent(text)
    return Module(path, ast.parse(text), text, Project(options or Options()))


def function_named(module: Module, name: str) -> Function:
    return next(function for function in module.functions if function.name == name)


def class_named(module: Module, name: str) -> Class:
    return next(klass for klass in module.classes if klass.name == name)


def names_of_tests(module: Module) -> list[str]:
    return [test.function.name for test in module.tests]


def call_named(module: Module, name: str) -> Call:
    """The only call of something of that name."""
    ((node, scope, _),) = module.index.calls[name]
    return module.call_at(node, scope)


# -- the walk -------------------------------------------------------------------------------------------------------


def scopes_by_name(module: Module) -> dict[str, Scope]:
    return {getattr(scope.node, "name", type(scope.node).__name__): scope for scope in module.index.scopes}


def test_that_the_head_of_a_definition_belongs_to_the_scope_around_it() -> None:
    scopes = scopes_by_name(
        module_of(
            """
            @decorator(at_the_class)
            class Nested(base, metaclass=meta):
                in_the_class

            @decorator(at_the_function)
            def nested(first=default, *, second=default_of_a_keyword, third):
                in_the_function

            run(lambda argument=default_of_a_lambda: in_the_lambda)
            """
        )
    )
    assert {name.id for name in scopes["Module"].loads} == {
        "at_the_class",
        "at_the_function",
        "base",
        "decorator",
        "default",
        "default_of_a_keyword",
        "default_of_a_lambda",
        "meta",
        "run",
    }
    assert [name.id for name in scopes["Nested"].loads] == ["in_the_class"]
    assert [name.id for name in scopes["nested"].loads] == ["in_the_function"]
    assert [name.id for name in scopes["Lambda"].loads] == ["in_the_lambda"]


def test_that_nodes_stand_in_the_order_of_evaluation() -> None:
    module = module_of(
        """
        def test():
            outer(inner(first), second)[third()]
            with manager() as value:
                body(value)
        """
    )
    scope = function_named(module, "test").scope
    called = [ast.unparse(node.func) for node in scope.of(ast.Call) if isinstance(node, ast.Call)]
    assert called == ["inner", "outer", "third", "manager", "body"]
    assert sorted(name.id for name in scope.loads) == [
        "body",
        "first",
        "inner",
        "manager",
        "outer",
        "second",
        "third",
        "value",
    ]
    # A block is finished before the statement that heads it.
    assert isinstance(scope.nodes[-1], ast.With)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def it(a, /, b, *c, d, **e): ...", "a b c d e"),
        ("def it():\n    x = y.z = w[0] = 1", "x"),
        ("def it():\n    for (a, [b, *c]) in d: ...", "a b c"),
        ("def it():\n    with x as a, y as b.c: ...", "a"),
        ("def it():\n    a: int = 1\n    b: int\n    c += 1\n    del d", "a b c d"),
        ("def it():\n    if (a := 1): ...", "a"),
        ("def it():\n    [a for a in b]", "a"),
        (
            "def it():\n    import a.b.c\n    import d.e as f\n    from g import h, i as j\n    from k import *",
            "a f h j",
        ),
        ("def it():\n    def a(): ...\n    async def b(): ...\n    class C: ...", "C a b"),
        ("def it():\n    try: ...\n    except E as a: ...\n    except F: ...", "a"),
        ("def it():\n    try: ...\n    except* E as a: ...", "a"),
        ("def it():\n    global a, b\n    nonlocal_ = 1", "a b nonlocal_"),
        ("def it():\n    match x:\n        case {'k': a, **b}: ...\n        case {'k': 1}: ...", "a b"),
        ("def it():\n    match x:\n        case [a, *b, 1]: ...\n        case [*_]: ...", "a b"),
        ("def it():\n    match x:\n        case K(l=a) as b: ...\n        case _: ...", "a b"),
        ("it = lambda a, *b, c=1, **d: (e := a)", "a b c d e"),
    ],
)
def test_what_binds_a_name(text: str, names: str) -> None:
    scope = module_of(text).index.scopes[1]
    assert sorted(scope.bindings) == names.split()


def test_that_a_lambda_has_no_block() -> None:
    module = module_of("def it():\n    return lambda: 1")
    inner = next(scope for scope in module.index.scopes if isinstance(scope.node, ast.Lambda))
    assert inner.body() == []
    assert [type(statement) for statement in function_named(module, "it").scope.body()] == [ast.Return]


def test_what_a_node_stands_in() -> None:
    module = module_of(
        """
        async def test():
            async with server() as s:
                if s:
                    await s.get(lambda: inner(), default=1)
        """
    )
    call = call_named(module, "get")
    around = [type(node).__name__ for node in module.ancestors(call.node, call.scope)]
    assert around == ["Await", "Expr", "If", "AsyncWith", "AsyncFunctionDef"]
    inner = call_named(module, "inner")
    # A lambda is a scope of its own: what it stands in is another scope's.
    assert [type(node).__name__ for node in module.ancestors(inner.node, inner.scope)] == ["Lambda"]


def test_that_a_decorator_stands_in_the_function_around() -> None:
    module = module_of(
        """
        def outer():
            @decorate(call())
            def inner(argument: note() = default()) -> result(): ...
        """
    )
    outer = function_named(module, "outer").scope
    for name in ("call", "default", "note", "result"):
        found = call_named(module, name)
        assert found.scope is outer
        assert outer.node in module.ancestors(found.node, outer)


# -- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "import asyncio\nuse(asyncio.sleep)",
        "import asyncio as aio\nuse(aio.sleep)",
        "from asyncio import sleep\nuse(sleep)",
        "from asyncio import sleep as pause\nuse(pause)",
        "import asyncio.tasks\nuse(asyncio.tasks.sleep)",
        "from asyncio.tasks import sleep\nuse(sleep)",
        "import asyncio.tasks as tasks\nuse(tasks.sleep)",
        "import os, asyncio\nuse(asyncio.sleep)",
        "from asyncio import gather, sleep\nuse(sleep)",
        "from asyncio import *\nuse(sleep)",
        "def test():\n    import asyncio\n    use(asyncio.sleep)",
        "def test():\n    from asyncio import sleep\n    def inner():\n        use(sleep)",
        "import asyncio\npause = asyncio.sleep\nuse(pause)",
        "import asyncio\naio = asyncio\npause = aio.sleep\nagain = pause\nuse(again)",
        "import asyncio\ndef test():\n    pause = asyncio.sleep\n    use(pause)",
        "import asyncio\npause: object = asyncio.sleep\nuse(pause)",
        "import asyncio\nif (pause := asyncio.sleep):\n    use(pause)",
        "try:\n    import asyncio\nexcept ImportError:\n    import asyncio.tasks\nuse(asyncio.sleep)",
        "try:\n    import asyncio\nexcept ImportError:\n    asyncio = None\nuse(asyncio.sleep)",
        "sleep: object = None\nif ready:\n    from asyncio import sleep\nuse(sleep)",
        "import asyncio\nclass Test:\n    asyncio = fake\n    def test(self):\n        use(asyncio.sleep)",
        "import asyncio\nclass Test:\n    pause = asyncio.sleep\n    use(pause)",
        "import asyncio\ndef test():\n    global asyncio\n    asyncio = asyncio\n    use(asyncio.sleep)",
        "def test():\n    import asyncio\n    def inner():\n        nonlocal asyncio\n        use(asyncio.sleep)",
    ],
)
def test_that_a_name_is_resolved(text: str) -> None:
    assert used(text) == "asyncio.sleep"


@pytest.mark.parametrize(
    "text",
    [
        "use(asyncio.sleep)",
        "import asyncio\nasyncio = fake\nuse(asyncio.sleep)",
        "import asyncio\ndef test(asyncio):\n    use(asyncio.sleep)",
        "import asyncio\ndef test():\n    asyncio = fake\n    use(asyncio.sleep)",
        "import asyncio\ndef test():\n    for asyncio in fakes:\n        use(asyncio.sleep)",
        "import asyncio\ndef test():\n    run(lambda asyncio: use(asyncio.sleep))",
        "import asyncio\nclass asyncio: ...\nuse(asyncio.sleep)",
        "try:\n    import asyncio\nexcept ImportError:\n    asyncio = fake\nuse(asyncio.sleep)",
        "try:\n    from asyncio import sleep\nexcept ImportError:\n    from trio import sleep\nuse(sleep)",
        "from .asyncio import sleep as pause\nuse(asyncio.sleep)",
        "from asyncio import *\nfrom shop import *\nuse(sleep)",
        "from .asyncio import *\nuse(sleep)",
        "from asyncio import *\ndef sleep(): ...\nuse(sleep)",
        "asyncio = asyncio\nuse(asyncio.sleep)",
        "a = b\nb = a\nuse(a.sleep)",
        "import asyncio\nuse(asyncio.sleep())",
        "import asyncio\nuse(asyncio['sleep'])",
        "import asyncio\npause = asyncio.sleep if fast else fake\nuse(pause)",
        "import asyncio\npause, other = asyncio.sleep, fake\nuse(pause)",
        "import asyncio\npause: object\nuse(pause)",
    ],
)
def test_that_a_name_which_means_something_else_is_not_resolved(text: str) -> None:
    assert used(text) != "asyncio.sleep"


def used(text: str) -> str:
    module = module_of(text)
    ((call, scope, _),) = module.index.calls["use"]
    return module.qualified(call.args[0], scope)


def test_that_builtins_have_a_name_unless_a_star_may_hide_them() -> None:
    assert used("use(print)") == "builtins.print"
    assert used("from somewhere import *\nuse(print)") == ""
    assert used("def print(): ...\nuse(print)") == ""


def test_names_of_relative_imports() -> None:
    assert used("from . import shop\nuse(shop.total)") == ".shop.total"
    assert used("from ..shop import total as t\nuse(t)") == "..shop.total"


def test_that_nothing_has_no_name() -> None:
    module = module_of("")
    assert module.qualified(None, module.scope) == ""


@pytest.mark.parametrize(
    ("name", "known_as"),
    [
        ("mock.AsyncMock", "unittest.mock.AsyncMock"),
        ("mock.mock.patch.object", "unittest.mock.patch.object"),
        ("httpx2.AsyncClient", "httpx.AsyncClient"),
        ("asyncio.locks.Lock", "asyncio.Lock"),
        ("unittest.case.TestCase", "unittest.TestCase"),
        ("unittest.case.skip", "unittest.case.skip"),
        ("mocking.AsyncMock", "mocking.AsyncMock"),
        ("asyncio.sleep", "asyncio.sleep"),
    ],
)
def test_that_a_thing_has_one_name(name: str, known_as: str) -> None:
    assert canonical(name) == known_as


def test_that_the_end_of_a_long_chain_of_names_is_known_whoever_asked_first() -> None:
    chain = "import asyncio\na = asyncio.sleep\nb = a\nc = b\nd = c\ne = d\nf = e\ng = f\n"
    module = module_of(chain + "use(g)\nuse(c)\n")
    (far, scope, _), (near, _, _) = sorted(module.index.calls["use"], key=lambda pair: pair[0].lineno)
    # Too far to be followed, which says nothing of the names in between.
    assert module.qualified(far.args[0], scope) == ""
    assert module.qualified(near.args[0], scope) == "asyncio.sleep"


def test_that_calls_are_found_under_every_name() -> None:
    module = module_of(
        """
        import asyncio
        from asyncio import sleep, sleep as pause
        from time import sleep as block

        again = pause
        other = asyncio.sleep
        both = other = 3

        def test(sleeper):
            asyncio.sleep(1)
            sleep(2)
            pause(3)
            again(4)
            block(5)
            sleeper.sleep(6)
        """
    )
    assert [ast.unparse(call.node.args[0]) for call in module.calls("asyncio.sleep")] == ["1", "2", "3", "4"]
    assert len(module.calls("asyncio.sleep", "time.sleep")) == 5
    assert len(module.method_calls("sleep")) == 2
    assert module.calls("asyncio.gather") == []


def test_what_stands_behind_a_name() -> None:
    module = module_of(
        """
        one = two = 1
        three = two
        four = 4
        four = 5
        five = three
        six = five
        seven = six
        eight = seven
        nine = eight
        def use(): ...
        """
    )

    def value(name: str) -> str:
        return ast.unparse(module.value_of(ast.Name(name), module.scope))

    assert value("three") == "1"
    assert value("five") == "1"
    # So many steps are followed, and no more.
    assert value("nine") == "five"
    assert value("four") == "four"
    assert value("use") == "use"
    assert value("unknown") == "unknown"


def test_what_a_name_of_the_file_itself_means() -> None:
    module = module_of("def one(): ...\nclass Two: ...\nthree = 3\ndef four(): ...\ndef four(): ...\n")

    def meant(text: str) -> ast.AST | None:
        return module.names.definition(ast.parse(text, mode="eval").body, module.scope)

    assert meant("one") is module.tree.body[0]
    assert meant("Two") is module.tree.body[1]
    assert meant("three") is None
    assert meant("four") is None
    assert meant("five") is None
    assert meant("one.two") is None


# -- functions and classes --------------------------------------------------------------------------------------------


def test_what_holds_a_function() -> None:
    module = module_of(
        """
        def outer():
            class Local:
                async def method(self): ...

        class Test:
            def method_of_the_module(self): ...
        """
    )
    method = function_named(module, "method")
    assert method.enclosing_function is function_named(module, "outer")
    assert method.is_nested
    assert method.is_method
    assert method.klass is class_named(module, "Local")
    assert not function_named(module, "method_of_the_module").is_nested
    assert function_named(module, "outer").klass is None


def test_that_only_its_own_yields_make_a_generator() -> None:
    module = module_of(
        """
        def outer():
            def inner():
                yield
            return lambda: (yield)

        def other():
            return (yield from inner())
        """
    )
    assert not function_named(module, "outer").is_generator
    assert function_named(module, "inner").is_generator
    assert function_named(module, "other").is_generator


def test_coroutine_functions() -> None:
    module = module_of(
        """
        from unittest.mock import patch
        from somewhere import decorate

        async def plain(): ...

        @patch("app.send")
        async def patched(send): ...

        @decorate
        async def decorated(): ...

        async def generator():
            yield

        def sync(): ...
        """
    )
    assert [function.name for function in module.functions if function.is_coroutine_function] == ["plain", "patched"]


@pytest.mark.parametrize(
    ("decorator", "keeps"),
    [
        ("async def wrapper(): ...\n    return wrapper", True),
        ("def wrapper(): ...\n    return wrapper", False),
        ("return function", True),
        ("function.__test__ = False\n    return function", False),
        ("async def wrapper(): ...", False),
        ("async def wrapper(): ...\n    if function: return wrapper\n    return wrapper", True),
        ("async def wrapper(): ...\n    return functools.wraps(function)(wrapper)", False),
    ],
)
def test_which_local_decorators_leave_a_coroutine_function(decorator: str, keeps: bool) -> None:
    module = module_of(f"def decorate(function):\n    {decorator}\n\n@decorate\nasync def test_it(): ...\n")
    assert names_of_tests(module) == (["test_it"] if keeps else [])


@pytest.mark.parametrize(
    ("factory", "keeps"),
    [
        (
            "def decorate(function):\n        async def wrapper(): ...\n        return wrapper\n    return decorate",
            True,
        ),
        ("def decorate(function):\n        def wrapper(): ...\n        return wrapper\n    return decorate", False),
        ("async def wrapper(): ...\n    return wrapper", True),
        ("return factory", False),
        ("return other", False),
    ],
)
def test_which_local_decorators_that_are_called_leave_one(factory: str, keeps: bool) -> None:
    module = module_of(f"def factory(times):\n    {factory}\n\n@factory(3)\nasync def test_it(): ...\n")
    assert names_of_tests(module) == (["test_it"] if keeps else [])


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        ("class It: ...", ClassKind.PLAIN),
        ("class It(object): ...", ClassKind.PLAIN),
        ("class It(unittest.TestCase): ...", ClassKind.TESTCASE),
        ("class It(unittest.IsolatedAsyncioTestCase): ...", ClassKind.ISOLATED),
        ("class It(unittest.IsolatedAsyncioTestCase, unittest.TestCase): ...", ClassKind.ISOLATED),
        ("class It(Generic[T]): ...", ClassKind.PLAIN),
        ("class It(ABC, unittest.TestCase): ...", ClassKind.TESTCASE),
        ("class It(unittest.TestCase, metaclass=ABCMeta): ...", ClassKind.TESTCASE),
        ("class It(unittest.TestCase, metaclass=Other): ...", ClassKind.UNKNOWN),
        ("class It(unittest.TestCase, flag=True): ...", ClassKind.UNKNOWN),
        ("class It(*bases): ...", ClassKind.UNKNOWN),
        ("class It(Unknown): ...", ClassKind.UNKNOWN),
        ("class It(unittest.TestCase, Unknown): ...", ClassKind.UNKNOWN),
        ("class It(build()): ...", ClassKind.UNKNOWN),
        ("@dataclass\nclass It: ...", ClassKind.PLAIN),
        ("@pytest.mark.slow\nclass It(unittest.TestCase): ...", ClassKind.TESTCASE),
        ("@unknown\nclass It(unittest.TestCase): ...", ClassKind.UNKNOWN),
        ("class A(unittest.TestCase): ...\nclass B(A): ...\nclass It(B): ...", ClassKind.TESTCASE),
        ("class A(Unknown): ...\nclass It(A, unittest.TestCase): ...", ClassKind.UNKNOWN),
        ("class A:\n    class B(unittest.TestCase): ...\nclass It(A.B): ...", ClassKind.TESTCASE),
        ("class A:\n    class B: ...\n    class B: ...\nclass It(A.B): ...", ClassKind.UNKNOWN),
        ("class A: ...\nclass It(A.B): ...", ClassKind.UNKNOWN),
        ("def a(): ...\nclass It(a.B): ...", ClassKind.UNKNOWN),
        ("Base = unittest.TestCase\nclass It(Base): ...", ClassKind.TESTCASE),
        ("class A(unittest.TestCase): ...\nBase = A\nclass It(Base): ...", ClassKind.TESTCASE),
        ("class It(It): ...", ClassKind.UNKNOWN),
        ("class A(It): ...\nclass It(A): ...", ClassKind.PLAIN),
        ("class It(unittest.TestCase):\n    def run(self): ...", ClassKind.UNKNOWN),
        ("class It:\n    def run(self): ...", ClassKind.PLAIN),
        ("class It(unittest.IsolatedAsyncioTestCase):\n    def run(self): ...", ClassKind.ISOLATED),
        ("class It:\n    def __init_subclass__(cls): ...", ClassKind.UNKNOWN),
    ],
)
def test_where_the_bases_of_a_class_end(head: str, kind: ClassKind) -> None:
    imports = """
        import unittest
        import pytest
        from abc import ABC, ABCMeta
        from dataclasses import dataclass
        from typing import Generic
        from somewhere import Other, T, Unknown, bases, build, unknown
    """
    assert class_named(module_of(textwrap.dedent(imports) + head), "It").kind is kind


def test_the_order_in_which_bases_are_looked_through() -> None:
    module = module_of(
        """
        class Root:
            def method(self): ...
            def of_the_root(self): ...
        class Left(Root): ...
        class Right(Root):
            def method(self): ...
            of_the_root = None
        class Both(Left, Right): ...
        """
    )
    both = class_named(module, "Both")
    assert [klass.name for klass in both.lineage] == ["Both", "Left", "Right", "Root"]
    method = both.find_method("method")
    assert method is not None
    assert method.klass is class_named(module, "Right")
    assert both.find_method("of_the_root") is None
    assert both.find_method("unknown") is None
    assert [klass.name for klass in class_named(module, "Root").family] == ["Root", "Left", "Right", "Both"]


def test_that_a_very_long_line_of_bases_is_not_followed_to_its_end() -> None:
    text = "import unittest\nclass A0(unittest.TestCase): ...\n"
    module = module_of(text + "".join(f"class A{number + 1}(A{number}): ...\n" for number in range(200)))
    assert class_named(module, "A10").kind is ClassKind.TESTCASE
    assert class_named(module, "A200").kind is ClassKind.UNKNOWN


@pytest.mark.parametrize(
    ("text", "is_collected"),
    [
        ("class TestIt: ...", True),
        ("class It: ...", False),
        ("class It(unittest.TestCase): ...", True),
        ("class TestIt:\n    def __init__(self): ...", False),
        ("class TestIt:\n    def __new__(cls): ...", False),
        ("class A:\n    def __init__(self): ...\nclass TestIt(A): ...", False),
        ("class It(unittest.TestCase):\n    def __init__(self): ...", True),
        ("class TestIt:\n    __test__ = False", False),
        ("class A:\n    __test__ = False\nclass TestIt(A): ...", False),
        ("class A:\n    __test__ = False\nclass TestIt(A):\n    __test__ = True", True),
        ("class It:\n    __test__ = True", True),
        ("class TestIt:\n    __test__ = flag()", True),
        ("class TestIt: ...\nTestIt = mark(TestIt)", False),
        ("class TestIt(Exception): ...", False),
        ("import enum\nclass TestIt(enum.Enum): ...", False),
        ("import dataclasses\n@dataclasses.dataclass\nclass TestIt: ...", False),
        ("import dataclasses\n@dataclasses.dataclass()\nclass TestIt: ...", False),
        ("import dataclasses\n@dataclasses.dataclass(init=False)\nclass TestIt: ...", True),
        ("import abc\nclass TestIt(abc.ABC):\n    @abc.abstractmethod\n    def make(self): ...", False),
        ("import abc\nclass TestIt:\n    @abc.abstractmethod\n    def make(self): ...", True),
        ("import abc\nclass It(abc.ABC, unittest.TestCase):\n    @abc.abstractmethod\n    def make(self): ...", False),
        ("__test__ = False\nclass TestIt: ...", False),
        ("__test__ = True\nclass TestIt: ...", True),
        ("__test__ = flag()\nclass TestIt: ...", True),
        ("def outer():\n    class TestIt: ...", False),
        ("class TestOuter:\n    class TestIt: ...", True),
        ("class Outer:\n    class TestIt: ...", False),
        ("class Outer(unittest.TestCase):\n    class TestIt: ...", False),
    ],
)
def test_which_classes_are_collected(text: str, is_collected: bool) -> None:
    module = module_of("import unittest\n" + text)
    klass = next(klass for klass in module.classes if klass.name in ("It", "TestIt"))
    assert klass.is_collected is is_collected


def test_that_a_class_with_an_unknown_base_may_be_collected() -> None:
    module = module_of("from base import Base\nclass It(Base): ...\ndef outer():\n    class Local(Base): ...\n")
    assert not class_named(module, "It").is_collected
    assert class_named(module, "It").may_be_collected
    assert not class_named(module, "Local").may_be_collected


@pytest.mark.parametrize(
    ("text", "first_is_replaced"),
    [
        ("def it(): ...", False),
        ("def it(): ...\ndef it(): ...", True),
        ("def it(): ...\nit = mark(it)", True),
        ("it = None\ndef it(): ...", False),
        ("def it(): ...\nfrom somewhere import it", True),
        ("def it(): ...\nclass it: ...", True),
        ("if x:\n    def it(): ...\nelse:\n    def it(): ...", False),
        ("if x:\n    def it(): ...\nelif y:\n    def it(): ...", False),
        ("if x:\n    def it(): ...\n    def it(): ...", True),
        ("if x:\n    def it(): ...\ndef it(): ...", True),
        ("def it(): ...\nif x:\n    def it(): ...", False),
        ("try:\n    def it(): ...\nexcept E:\n    def it(): ...\nelse: ...\nfinally: ...", False),
        ("match x:\n    case 1:\n        def it(): ...\n    case 2:\n        def it(): ...", False),
        ("with x:\n    def it(): ...\ndef it(): ...", True),
        ("for x in y:\n    def it(): ...\nelse:\n    def it(): ...", False),
    ],
)
def test_whether_something_else_stands_under_a_name_in_the_end(text: str, first_is_replaced: bool) -> None:
    assert module_of(text).functions[0].is_replaced is first_is_replaced


def test_that_nobody_knows_which_of_very_many_definitions_counts() -> None:
    module = module_of("".join(f"if x == {number}:\n    async def test_it(): ...\n" for number in range(60)))
    assert names_of_tests(module) == []


# -- marks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "marks", "complete"),
    [
        ("pytest.mark.asyncio", "asyncio", True),
        ("pytest.mark.asyncio(loop_scope='module')", "asyncio", True),
        ("[pytest.mark.slow, pytest.mark.asyncio]", "slow asyncio", True),
        ("(pytest.mark.slow,)", "slow", True),
        ("[]", "", True),
        ("shared", "anyio", True),
        ("several", "anyio trio", True),
        ("[*several, pytest.mark.slow]", "anyio trio slow", True),
        ("several + [pytest.mark.slow]", "anyio trio slow", True),
        ("[pytest.mark.slow] + imported", "slow", False),
        ("[pytest.mark.slow] * 2", "", False),
        ("imported", "", False),
        ("[imported, pytest.mark.slow]", "slow", False),
        ("pytest.mark.slow if x else pytest.mark.asyncio", "", False),
        ("build(pytest.mark.slow)", "", False),
        ("{'a': pytest.mark.slow}", "", False),
        ("f'{pytest.mark.slow}'", "", False),
        ("getattr(pytest.mark, 'slow')", "", False),
        ("[pytestmark]", "", False),
        ("[*pytestmark, pytest.mark.slow]", "slow", False),
        ("None", "", False),
    ],
)
def test_the_marks_of_a_module(value: str, marks: str, complete: bool) -> None:
    module = module_of(
        f"""
        import pytest
        from somewhere import imported
        shared = pytest.mark.anyio
        several = [shared, pytest.mark.trio]
        pytestmark = {value}
        """
    )
    assert [mark.name for mark in module.marks.marks] == marks.split()
    assert module.marks.complete is complete


@pytest.mark.parametrize(
    ("text", "marks", "complete"),
    [
        ("pytestmark: list = [pytest.mark.slow]", "slow", True),
        ("pytestmark = [pytest.mark.slow]\npytestmark += [pytest.mark.asyncio]", "slow asyncio", True),
        ("pytestmark = pytest.mark.slow\npytestmark = pytest.mark.asyncio", "asyncio", True),
        ("pytestmark = pytest.mark.slow\nif x: pytestmark = pytest.mark.asyncio", "slow asyncio", True),
        ("if x: pytestmark = pytest.mark.slow\npytestmark = pytest.mark.asyncio", "asyncio", True),
        ("pytestmark = imported\npytestmark: list = [pytest.mark.asyncio]", "asyncio", True),
        ("other = pytestmark = pytest.mark.slow", "slow", True),
        ("pytestmark: list", "", False),
        ("from somewhere import pytestmark", "", False),
        ("pytestmark, other = pytest.mark.slow, 1", "", False),
        ("for pytestmark in marks: ...", "", False),
        ("pytest_mark = pytest.mark.slow", "", True),
        ("def it():\n    pytestmark = pytest.mark.slow", "", True),
    ],
)
def test_the_ways_to_bind_pytestmark(text: str, marks: str, complete: bool) -> None:
    module = module_of(f"import pytest\n{text}")
    assert [mark.name for mark in module.marks.marks] == marks.split()
    assert module.marks.complete is complete


def test_the_marks_of_a_test_from_everywhere() -> None:
    module = module_of(
        """
        import pytest

        pytestmark = pytest.mark.of_the_module

        @pytest.mark.of_the_base
        class Base: ...

        @pytest.mark.around
        class TestOuter:
            class TestIt(Base):
                pytestmark = pytest.mark.of_the_class

                @pytest.mark.own(3)
                @pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.of_a_parameter), a(2), b[0](3)])
                def test_it(self, x): ...

                @pytest.mark.bare.further
                def test_other(self): ...
        """
    )
    one, other = module.tests
    assert [mark.name for mark in one.marks.marks] == [
        "own",
        "parametrize",
        "of_a_parameter",
        "of_the_class",
        "of_the_base",
        "around",
        "of_the_module",
    ]
    assert one.marks.has("own", "unknown")
    assert not one.marks.has("unknown")
    own, *_ = one.marks.named("own")
    assert own.has_arguments
    assert other.function.own_marks.marks[0].name == "bare"
    assert not other.function.own_marks.marks[0].has_arguments


# -- tests ------------------------------------------------------------------------------------------------------------


def test_what_a_test_asks_for() -> None:
    module = module_of(
        """
        import pytest
        import unittest
        from unittest.mock import patch

        @pytest.mark.usefixtures("of_the_class", name)
        @pytest.mark.usefixtures
        class TestIt:
            @patch("app.send")
            def test_method(self, send, database, size=1, *args, key, other=2, **kwargs): ...

            @staticmethod
            def test_static(database): ...

            @pytest.mark.parametrize("size, kind", [(1, 2)])
            @pytest.mark.parametrize(argnames=["order"], argvalues=[1])
            @pytest.mark.parametrize("user", [1], indirect=True)
            @pytest.mark.parametrize(("item", "cart"), [(1, 2)], indirect=["cart"])
            @pytest.mark.parametrize("other", [1], indirect=False)
            @pytest.mark.parametrize
            @pytest.mark.parametrize(**options)
            def test_parametrized(self, size, kind, order, user, item, cart, other, database): ...

        class TestCase(unittest.TestCase):
            @pytest.mark.usefixtures("database")
            def test_of_unittest(self, user): ...
        """
    )
    requests = {test.function.name: test.requests for test in module.tests}
    assert requests == {
        "test_method": ("database", "key", "of_the_class"),
        "test_static": ("database", "of_the_class"),
        "test_parametrized": ("user", "cart", "database", "of_the_class"),
        "test_of_unittest": ("database",),
    }


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("'a, b,'", ["a", "b"]),
        ("['a', 'b']", ["a", "b"]),
        ("('a', name)", ["a"]),
        ("name", []),
        ("3", []),
    ],
)
def test_the_names_that_parametrize_takes(text: str, names: list[str]) -> None:
    assert list(argument_names(ast.parse(text, mode="eval").body)) == names


def test_through_which_classes_a_test_is_collected() -> None:
    module = module_of(
        """
        import unittest

        class Mixin:
            def test_shared(self): ...
            def test_overridden(self): ...

        class TestOne(Mixin):
            def test_overridden(self): ...

        class Two(Mixin, unittest.TestCase): ...

        class Unused:
            def test_unused(self): ...
        """
    )
    shared, overridden, own = module.tests
    assert [klass.name for klass in shared.collectors] == ["TestOne", "Two"]
    assert shared.klass is class_named(module, "TestOne")
    assert shared.kind is ClassKind.UNKNOWN
    assert shared.kind_where_defined is ClassKind.UNKNOWN
    assert [klass.name for klass in overridden.collectors] == ["Two"]
    assert overridden.kind is ClassKind.TESTCASE
    assert own.kind is own.kind_where_defined is ClassKind.PLAIN


def test_that_a_function_of_the_module_needs_no_class() -> None:
    (test,) = module_of("import unittest\n@unittest.skip('later')\ndef test_it(): ...\n").tests
    assert test.klass is None
    assert test.kind is test.kind_where_defined is ClassKind.PLAIN
    assert test.is_skipped


def test_which_functions_are_tests() -> None:
    module = module_of(
        """
        import pytest
        from somewhere import decorate

        def test_one(): ...
        async def test_two(): ...
        def testThree(): ...
        def helper(): ...
        @pytest.fixture
        def test_data(): ...
        @decorate
        def test_decorated(): ...
        def test_outer():
            def test_inner(): ...
        if flag:
            def test_in_a_block(): ...
        """
    )
    assert names_of_tests(module) == ["test_one", "test_two", "testThree", "test_outer", "test_in_a_block"]


def test_that_only_files_of_tests_have_tests() -> None:
    assert names_of_tests(module_of("def test_one(): ...", "/nowhere/orders.py")) == []
    assert names_of_tests(module_of("def test_one(): ...", "/nowhere/conftest.py")) == []
    assert names_of_tests(module_of("def test_one(): ...", "/nowhere/orders_test.py")) == ["test_one"]


# -- calls ------------------------------------------------------------------------------------------------------------


def first_call(text: str) -> Call:
    return call_named(module_of(text), "it")


def test_what_becomes_of_a_call() -> None:
    assert first_call("async def f():\n    await it()").is_awaited
    assert first_call("def f():\n    it()").is_statement
    assert not first_call("def f():\n    x = it()").is_statement
    assert not first_call("async def f():\n    await (it() or other())").is_awaited


def test_the_function_of_a_call() -> None:
    function = first_call("def f():\n    it()").function
    assert function is not None
    assert function.name == "f"
    assert first_call("it()").function is None
    assert first_call("def f():\n    return lambda: it()").function is None
    assert first_call("def f():\n    class A:\n        x = it()").function is None


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("it(1, 2)", "2"),
        ("it(1, name=3)", "3"),
        ("it(*args, 2, name=3)", "3"),
        ("it(1)", None),
        ("it(*args)", None),
        ("it(1, **options)", None),
    ],
)
def test_the_arguments_of_a_call(text: str, given: str | None) -> None:
    found = first_call(text).argument(1, "name")
    assert (None if found is None else ast.unparse(found)) == given


def test_the_parts_of_a_call() -> None:
    node = first_call("it(1, a=2, **options)").node
    assert isinstance(keyword_value(node, "a"), ast.Constant)
    assert keyword_value(node, "b") is None
    assert has_double_star(node)
    assert not has_double_star(first_call("it(a=2)").node)
    assert receiver_of(node) is None
    receiver = receiver_of(first_call("client.it()").node)
    assert isinstance(receiver, ast.Name)


def test_what_stands_in_a_block() -> None:
    module = module_of("try:\n    a()\nfinally:\n    b()\n")
    (block,) = module.tree.body
    assert isinstance(block, ast.Try)
    assert is_within(module.index.calls["b"][0][0], block.finalbody)
    assert not is_within(module.index.calls["a"][0][0], block.finalbody)
    assert not is_within(module.index.calls["a"][0][0], block.orelse)


# -- what kind of file it is ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "is_one"),
    [
        ("test_it.py", "", True),
        ("it_test.py", "", True),
        ("conftest.py", "", True),
        ("it.py", "import pytest", True),
        ("it.py", "from unittest import mock", True),
        ("it.py", "def f():\n    from unittest.mock import patch", False),
        ("it.py", "try:\n    import os\nexcept ImportError:\n    from unittest import mock", True),
        ("it.py", "if True:\n    pass\nelse:\n    import os, mock", True),
        ("it.py", "from . import pytest", False),
        ("it.py", "import pytest_asyncio.plugin", True),
        ("it.py", "import os", False),
        ("it.py", "from .mock import thing", False),
        ("it.py", "import mocking", False),
        ("it.py", "# import pytest", False),
        ("it.py", "", False),
    ],
)
def test_which_files_the_rules_speak_of(name: str, text: str, is_one: bool) -> None:
    assert module_of(text, f"/nowhere/{name}").is_test_file is is_one


def test_the_modules_that_a_file_imports() -> None:
    module = module_of("import a.b.c as d\nfrom e.f import g\nfrom . import h\nfrom .i import j\n")
    assert module.imported_modules == {"a", "a.b", "a.b.c", "e", "e.f", "e.f.g"}
    assert module.imports("zzz", "e.f")
    assert not module.imports("h", "i", "d")


def test_that_things_show_what_they_are() -> None:
    module = module_of("import pytest\nclass TestIt:\n    def test_it(self): ...\n@pytest.fixture\ndef data(): ...\n")
    assert repr(module.classes[0]) == "<Class TestIt line 2>"
    assert repr(module.functions[0]) == "<Function test_it line 3>"
    assert repr(module.tests[0]) == "<Test test_it line 3>"
    assert repr(module.fixtures[0]) == "<Fixture data of /nowhere/test_example.py>"


def test_that_nodes_of_a_kind_stand_in_the_order_of_evaluation_within_their_scope() -> None:
    module = module_of("def f():\n    a = 1\n    b = 2\nc = 3\nclass C:\n    d = 4\ne = 5\n")
    found = module.of_kind(ast.Assign)
    assert sorted(node.lineno for node, _ in found) == [2, 3, 4, 6, 7]
    for scope in module.index.scopes:
        own = [node.lineno for node, each in found if each is scope]
        assert own == sorted(own)


def test_that_a_fact_is_worked_out_once() -> None:
    module = module_of("x = 1")
    asked = []

    def count(of: Module) -> int:
        asked.append(of)
        return len(of.tree.body)

    assert module.fact(count) == module.fact(count) == 1
    assert asked == [module]


def test_that_a_run_leaves_the_collection_of_garbage_as_it_was() -> None:
    text = "async def test_it(): ...\n"
    for is_on in (True, False):
        try:
            if not is_on:
                gc.disable()
            list(Checker(ast.parse(text), text.splitlines(keepends=True), "test_it.py").run())
            assert gc.isenabled() is is_on
        finally:
            gc.enable()


def test_that_nothing_is_known_of_what_lambdas_take() -> None:
    module = module_of("stop = lambda loop: loop.stop()\n")
    call = module.method_calls("stop")[0]
    receiver = receiver_of(call.node)
    assert receiver is not None
    assert not is_event_loop(module, receiver, call.scope)


def test_that_everybody_may_call_what_very_many_call() -> None:
    helpers = "".join(f"def helper_{number}():\n    pause()\n" for number in range(501))
    module = module_of(f"def pause(): ...\n{helpers}def test_of_others(): ...\n")
    assert list(reaching.tests_reaching(module, module.functions[0].scope)) == module.tests
