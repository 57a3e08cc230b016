"""Files that nobody writes, and that a linter is given all the same: no rule may fail on one, or change its tree."""

from __future__ import annotations

import ast
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from flake8_async_tests import Checker
from flake8_async_tests.rules import all_rules
from tests.linting import configure

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "import asyncio\nimport time\nimport unittest\nfrom unittest import mock\n\nimport pytest\n\nimport app\n\n"
APP = "import asyncio\n\n\nasync def fetch(): ...\n\n\nclass Client:\n    async def get(self): ...\n"
MARKED = "@pytest.mark.asyncio\nasync def test_it():\n    "

WRITTEN = {
    "yields in lambdas": """
        @pytest.mark.asyncio
        async def test_it():
            f = lambda x=(yield): [(yield), lambda: (yield)]
    """,
    "asynchronous comprehensions": """
        @pytest.mark.asyncio
        async def test_it():
            return [await x async for x in y if await x]
    """,
    "decorators that are calls of calls": """
        @a(1)(2)(3)
        @pytest.mark.asyncio()()()
        @x[0]
        @(lambda f: f)
        @pytest.mark['asyncio']
        @(m := pytest.mark.asyncio)
        @pytest.mark.parametrize(*[1])(2)
        async def test_it(): ...
    """,
    "marks through getattr": """
        @getattr(pytest.mark, 'asyncio')
        async def test_one(): ...

        @getattr(pytest, 'mark').asyncio
        async def test_two(): ...
    """,
    "classes that inherit in circles": """
        class A(B):
            async def test_a(self, x): yield

        class B(A):
            async def setUp(self): ...

        class C(D, unittest.TestCase):
            async def asyncSetUp(self): ...

        class D(C):
            @pytest.mark.asyncio
            async def test_d(self): ...
    """,
    "classes that inherit from themselves": """
        class Test(Test):
            async def test_it(self): ...

        class E(E.F):
            class F(E): ...

        class G(G.G): ...

        class H(H.I.J, I.H): ...
    """,
    "names for themselves": """
        x = x
        a = b
        b = c
        c = a
        pytestmark = [pytestmark, *pytestmark]

        @a
        async def test_it(): ...

        class Test(a): ...
    """,
    "stars": """
        from pytest import *
        from unittest import *
        from unittest.mock import *

        @mark.asyncio
        async def test_it(): yield

        class T(TestCase):
            async def test_it(self): AsyncMock().x.assert_called()
    """,
    "tests in blocks": """
        if a:
            async def test_a(): ...
        elif b:
            async def test_a(): ...
        else:
            class TestA:
                async def test_a(self): ...
        try:
            async def test_b(): ...
        except E as e:
            async def test_b(): ...
        else:
            async def test_b(): ...
        finally:
            async def test_c(): ...
        with a as (b, *c), d:
            async def test_d(): ...
        for i in x:
            async def test_e(): ...
        else:
            async def test_e(): ...
        while x:
            async def test_f(): ...
    """,
    "tests in groups of handlers": """
        try: ...
        except* E as e:
            async def test_it(): ...
    """,
    "tests in cases": """
        match a:
            case 1:
                async def test_a(): ...
            case {'k': b, **c}:
                async def test_a(): ...
            case [d, *e] if d:
                async def test_a(): ...
            case K(l=m) as n:
                async def test_b(): ...
            case _:
                async def test_b(): ...
    """,
    "other globals": """
        global pytestmark
        pytestmark = pytest.mark.asyncio

        def f():
            global pytest, test_it
            import pytest
            async def test_it(): ...

        async def test_other(): ...
    """,
    "names that are taken away": """
        async def test_it(): ...
        del test_it, pytest

        class T(unittest.TestCase):
            async def test_a(self): ...
            del test_a

        del T
    """,
    "parameters of every kind": """
        async def test_a(a, /, b=1, *c, d, e=2, **f): yield

        class T(unittest.TestCase):
            async def test_a(a, /): ...
            def test_b(): ...
            def test_c(*, a): ...
            def test_d(*a, **b): ...
            async def test_e(self=1, /, a=2): ...
            @staticmethod
            async def test_f(): ...
    """,
    "other alphabets": """
        class TestÜber:
            x = 'äöü日本'; pytestmark = pytest.mark.asyncio('ß')

            async def test_größe(self): 'äöü'; yield

        async def test_日本(): ...
    """,
    "one class twice": """
        class TestA:
            async def test_a(self): ...

        class TestA(TestA):
            async def test_b(self): ...
    """,
    "functions of one name": """
        async def test_it(): ...
        def test_it(): ...
        async def test_it(): yield
    """,
    "calls of nothing": """
        async def test_it():
            ()()
            ''()
            (await x)()()
            x[0](*y, **z)
            (lambda: 1)()
    """,
    "strange marks": """
        pytestmark = pytest.mark

        @pytest.mark.asyncio(*a, **b)
        @pytest.mark
        @pytest
        @pytest.mark.usefixtures(*a)
        @pytest.mark.parametrize
        async def test_it(): ...
    """,
    "strange fixtures": """
        @pytest.fixture(**a)
        async def x(): ...

        @pytest.fixture(x, scope=y, name=3)
        @pytest.fixture
        class F: ...

        @pytest.fixture()
        @pytest.mark.asyncio
        async def test_it(test_it): yield
    """,
    "strange targets": """
        a.pytestmark = b[0] = pytestmark = pytest.mark.asyncio
        pytestmark, c = d
        [pytestmark, *e] = f
        pytestmark: list

        async def test_it(): ...
    """,
    "numbers that are larger than any": """
        @pytest.mark.asyncio(loop_scope=0x<number>)
        @pytest.mark.timeout(0x<number>)
        async def test_it():
            await asyncio.sleep(0x<number>)
            await asyncio.sleep(-1e999 * 0x<number>)
            start = time.perf_counter()
            assert time.perf_counter() - start < 0x<number> + 1
            await asyncio.wait_for(x, 1e999 - 1e999)
    """.replace("<number>", "f" * 5000),
    "what cannot be printed": """
        @pytest.fixture(name='a\\nb\\ud800')
        async def client(): yield

        async def test_it(client):
            client.close()
            getfixturevalue('a\\nb\\ud800')

        @mock.patch('app.Client.\\ud800')
        @mock.patch('app.\\ud800', new_callable=mock.AsyncMock)
        @mock.patch('\\ud800', mock.Mock())
        @pytest.mark.parametrize('a\\ud800', [1])
        async def test_patched(monkeypatch):
            monkeypatch.setattr('app.\\ud800', mock.AsyncMock())
            monkeypatch.setattr('app.\\ud800.sleep', mock.AsyncMock())
            httpx.get('http://\\ud800')

        pytest_plugins = ['\\ud800', 'a\\0b', 'it']

        @pytest.mark.asyncio(loop_scope='a\\nb\\ud800')
        async def test_other(request): request.getfixturevalue('a\\nb\\ud800')
    """,
}
if sys.version_info >= (3, 12):
    WRITTEN["parameters of types"] = """
        @pytest.mark.asyncio
        async def test_it[T: int, *Ts, **P](a: T) -> T:
            async def test_inner[U](x: U): assert x

        type X[T] = list[T]

        class TestA[T](B[T]):
            async def test_it[U](self, x: T): ...
    """
    WRITTEN["strings in strings"] = """
        async def test_it():
            x = f'{await y():{z}} {f'{f'{x!r}'}'}'
    """
if sys.version_info >= (3, 13):
    WRITTEN["defaults of parameters of types"] = """
        @pytest.mark.asyncio
        async def test_it[T = int, *Ts = *tuple[int, ...], **P = [int]](a: T = await x) -> T: ...

        type X[T = mock.AsyncMock()] = list[T]

        class TestA[T = app.Client](app.Client):
            async def test_it[U = T](self, x: U): self.get()
    """
if sys.version_info >= (3, 14):
    WRITTEN["templates"] = """
        async def test_it():
            x = t'{await y():{z}} {x!r}'
            t'{app.fetch()} {f"{app.fetch()}"}' t'{(yield)}'
            assert t'{app.fetch()!s:>{app.fetch()}}'.interpolations
    """
    WRITTEN["handlers without brackets"] = """
        async def test_it():
            try:
                await app.fetch()
            except TimeoutError, asyncio.CancelledError:
                pass
            try:
                app.fetch()
            except* E, F:
                assert app.fetch()
    """
    WRITTEN["deferred annotations"] = """
        @pytest.fixture
        async def client(a: later, b: Later[app.fetch()] = 1) -> Later: yield

        async def test_it(client: Client): client.get()

        class Client(app.Client):
            x: Client = app.Client()
    """
    WRITTEN["leaving a finally"] = """
        async def test_it():
            while x:
                try: await app.fetch()
                finally:
                    if y: return
                    continue
    """


def nested(line: str, last: str, *, times: int = 95) -> str:
    return "".join(f"{' ' * depth}{line}\n" for depth in range(times)) + " " * times + last + "\n"


def numbered(line: str, *, times: int = 900) -> str:
    """Some lines again and again, with a number of their own for `{n}` and the one after it for `{next}`."""
    return "".join(line.replace("{n}", str(n)).replace("{next}", str(n + 1)) for n in range(times))


BUILT = {
    "empty": "",
    "one line without its end": "async def test_it(): ...",
    "comments": "# async\n# import pytest\n",
    "a form feed": f"{HEAD}\f\n{MARKED}yield\n",
    "carriage returns": f"{HEAD}{MARKED}yield\n".replace("\n", "\r\n"),
    "lambdas in lambdas": f"{HEAD}{MARKED}f = {'lambda: ' * 500}1\n",
    "functions in functions": HEAD + nested("async def test_it():", "yield"),
    "classes in classes": HEAD + nested("class TestIt:", "async def test_it(self): yield"),
    "blocks in blocks": f"{HEAD}async def test_it():\n{textwrap.indent(nested('if x:', 'await y()', times=90), ' ')}",
    "lists in lists": f"{HEAD}pytestmark = {'[' * 90}pytest.mark.asyncio{']' * 90}\n{MARKED}yield\n",
    "patterns in patterns": f"{HEAD}match x:\n    case {'[' * 90}a{']' * 90}:\n        async def test_it(): ...\n",
    "a long sum": f"{HEAD}pytestmark = {'[pytest.mark.asyncio] + ' * 900}[]\n{MARKED}x = {'y + ' * 900}1\n",
    "a longer sum": f"{HEAD}pytestmark = {'[pytest.mark.asyncio] + ' * 2900}[]\n{MARKED}x = {'y + ' * 2900}1\n",
    "a long path": f"{HEAD}class T(x{'.a' * 900}):\n    async def test_it(self): await self{'.a' * 900}()\n",
    "calls in calls": f"{HEAD}{MARKED}await app.fetch({'app.fetch(' * 180}{')' * 180})\n",
    "a thousand calls in a row": f"{HEAD}{MARKED}app.fetch{'()' * 1000}\n    await x{'(1)' * 1000}\n",
    "conditions in conditions": f"{HEAD}{MARKED}x = {'1 if app.fetch() else ' * 900}app.fetch()\n",
    "nots of nots": f"{HEAD}{MARKED}assert {'not ' * 900}app.fetch()\n    x = {'-' * 900}app.fetch()\n",
    "long comparisons": f"{HEAD}{MARKED}assert {'app.fetch() == ' * 1000}{'x and ' * 1000}y\n",
    "a thousand subscripts": f"{HEAD}{MARKED}x{'[0]' * 1000} = app.fetch(){'[x]' * 1000}\n",
    "a thousand items of with": f"{HEAD}{MARKED}async with {'app.fetch() as a, ' * 1000}x: ...\n",
    "a thousand decorators": HEAD + "@pytest.mark.anyio\n" * 1000 + "async def test_it(): ...\n",
    "a thousand strings": HEAD + MARKED + "x = " + 'f"{app.fetch()} {x:>{y}}" ' * 1000 + "\n",
    "a thousand targets": f"{HEAD}{MARKED}{'a = b.c = ' * 1000}app.fetch()\n",
    "a thousand bases": f"{HEAD}class Test({'a.B, ' * 1000}app.Client):\n    async def test_it(self): self.get()\n",
    "a thousand parameters": HEAD
    + f"@pytest.fixture\nasync def client({', '.join(f'a{n}=1' for n in range(1000))}): ...\n"
    + f"async def test_it({', '.join(f'a{n}' for n in range(1000))}): ...\n",
    "a large literal": f"{HEAD}VALUES = [{'1, ' * 100_000}]\n{MARKED}x = {{{'a: 1, ' * 1000}}}\n",
    "a long string": f"{HEAD}VALUE = '{'async def ' * 100_000}'\n{MARKED}yield\n",
    "a long line of calls": f"{HEAD}@x{'()' * 900}\nasync def test_one(): ...\n{MARKED}await x{'.a()' * 450}\n",
    "a long if": HEAD + "if x: ...\n" + numbered("elif x == {n}:\n    async def test_it(): ...\n", times=700),
    "a long line of names": HEAD + "a0 = pytest.mark.asyncio\n" + numbered("a{next} = a{n}\n") + "pytestmark = a900\n",
    "a long line of bases": HEAD
    + "class A0(unittest.TestCase): ...\n"
    + numbered("class A{next}(A{n}): ...\n")
    + "class It(A900):\n    async def test_it(self): ...\n",
}

FILES = {name: HEAD + textwrap.dedent(text) for name, text in WRITTEN.items()} | BUILT


@pytest.mark.parametrize("name", ["test_it.py", "conftest.py", "it.py"])
@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_that_no_rule_fails(tmp_path: Path, text: str, name: str) -> None:
    try:
        tree = ast.parse(text)
    except (MemoryError, RecursionError):
        # Python 3.11 parses nothing so deep, and flake8 tells of that itself.
        assert sys.version_info < (3, 12)
        return
    before = sum(1 for _ in ast.walk(tree))
    (tmp_path / "app.py").write_text(APP)
    configure(["--extend-select=AT9"])
    lines = text.splitlines(keepends=True)
    first, second = (list(Checker(tree, lines, str(tmp_path / name)).run()) for _ in range(2))
    assert first == second
    assert sum(1 for _ in ast.walk(tree)) == before
    for line, column, message, _ in first:
        assert 1 <= line <= len(lines), message
        assert 0 <= column < len(lines[line - 1]), message
        assert message.isprintable()
        assert len(message) < 500


@pytest.mark.parametrize("kind", ["call", "await", "attribute", "sum", "list", "lambda", "block", "function"])
def test_that_no_tree_is_too_deep(tmp_path: Path, kind: str) -> None:
    """Deeper than the parser itself goes."""
    text = f"{HEAD}@pytest.mark.asyncio\nasync def test_it():\n    await app.fetch()\n"
    tree = ast.parse(text)
    test = tree.body[-1]
    assert isinstance(test, ast.AsyncFunctionDef)
    statement = test.body[0]
    assert isinstance(statement, ast.Expr)
    place = {name: getattr(statement, name) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset")}
    for _ in range(1000):
        node = statement.value
        match kind:
            case "call":
                statement.value = ast.Call(ast.Name("x", ast.Load(), **place), [node], [], **place)
            case "await":
                statement.value = ast.Await(node, **place)
            case "attribute":
                statement.value = ast.Attribute(node, "x", ast.Load(), **place)
            case "sum":
                statement.value = ast.BinOp(ast.Constant(1, **place), ast.Add(), node, **place)
            case "list":
                statement.value = ast.List([node], ast.Load(), **place)
            case "lambda":
                arguments = ast.arguments([], [], None, [], [], None, [])
                statement.value = ast.Lambda(arguments, node, **place)
            case "block":
                test.body = [ast.If(ast.Name("x", ast.Load(), **place), test.body, [], **place)]
            case _:
                arguments = ast.arguments([], [], None, [], [], None, [])
                test.body = [ast.FunctionDef("f", arguments, test.body, [], None, None, **place)]
    (tmp_path / "app.py").write_text(APP)
    configure(["--extend-select=AT9"])
    Checker(tree, text.splitlines(keepends=True), str(tmp_path / "test_it.py")).reports(all_rules())


def test_that_a_column_counts_characters(tmp_path: Path) -> None:
    configure()
    text = FILES["other alphabets"]
    found = Checker(ast.parse(text), text.splitlines(keepends=True), str(tmp_path / "test_it.py")).run()
    places = {message[:5]: (line, column) for line, column, message, _ in found}
    line, column = places["AT103"]
    assert text.splitlines()[line - 1][column:].startswith("yield")
    line, column = places["AT109"]
    assert text.splitlines()[line - 1][column:].startswith("pytest.mark.asyncio('ß')")


def test_that_the_current_folder_may_be_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    configure()
    text = f"{HEAD}async def test_it(): ...\n"
    found = Checker(ast.parse(text), text.splitlines(keepends=True), "test_it.py").run()
    assert [message[:5] for _, _, message, _ in found] == ["AT101"]


@pytest.mark.parametrize("folder", ["a\0b", "\ud800", "x" * 5000, "", "-", "C:\\shop", "~", "\n", "http://a", "//"])
@pytest.mark.parametrize("name", ["test_it.py", "conftest.py"])
def test_that_no_path_is_too_odd(folder: str, name: str) -> None:
    configure()
    text = f"{HEAD}{MARKED}yield\n\n\n@pytest.mark.asyncio\n@pytest.fixture\nasync def client(): ...\n"
    checker = Checker(ast.parse(text), text.splitlines(keepends=True), f"{folder}/{name}")
    assert "AT108" in {message[:5] for _, _, message, _ in checker.run()}
