"""The helpers with which rules say their fixes."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flake8_async_tests import edits
from flake8_async_tests.fixing.lines import Lines, apply_edits
from flake8_async_tests.options import Options
from flake8_async_tests.project.project import Project
from flake8_async_tests.rule import Edit, Fix, Import

if TYPE_CHECKING:
    from flake8_async_tests.source.module import Module


def module_of(text: str) -> Module:
    path = Path(__file__).parent / "test_text_of_a_test.py"
    return Project(Options()).module_for(str(path), ast.parse(text), text)


def applied(module: Module, *made: Edit | None) -> str | None:
    done = [edit for edit in made if edit is not None]
    return apply_edits(module.text, done) if len(done) == len(made) else None


def calls(module: Module) -> list[ast.Call]:
    found = [node for node in ast.walk(module.tree) if isinstance(node, ast.Call)]
    return sorted(found, key=lambda call: (call.lineno, call.col_offset))


def test_a_fix_is_made_of_all_its_edits_or_not_at_all() -> None:
    edit = Edit((1, 0), (1, 0), "x")
    assert edits.safe(edit) == Fix((edit,), safe=True)
    assert edits.unsafe(edit, edit) == Fix((edit, edit), safe=False)
    assert edits.safe(edit, None) is None
    assert edits.safe() is None
    name = edits.Spelled("httpx.URL", (Import("httpx"),))
    assert edits.safe(edit, names=[name, name]) == Fix((edit,), True, (Import("httpx"),))


def test_nodes() -> None:
    module = module_of("ä = f(1)\n")
    call = calls(module)[0]
    assert applied(module, edits.insert_before(call, "("), edits.insert_after(call, ")")) == "ä = (f(1))\n"
    assert applied(module, edits.replace(call, edits.text_of(module, call.args[0]))) == "ä = 1\n"


# -- statements and decorators ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = 1\nx = 2\nb = 3\n", "a = 1\nb = 3\n"),
        ("class A:\n    x = 2  # why\n", "class A:\n    pass  # why\n"),
        ("class A:\n    x = 2\n\n    y = 3\n", "class A:\n    y = 3\n"),
        ("x = 2; y = 3\n", None),
        ("y = 3; x = 2\n", None),
    ],
)
def test_removing_a_statement(text: str, expected: str | None) -> None:
    module = module_of(text)
    scope = next(scope for scope in module.index.scopes if "x" in scope.bindings)
    statement = scope.parents[scope.bindings["x"][0]]
    assert isinstance(statement, ast.stmt)
    assert applied(module, edits.remove_statement(module, statement, scope)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nx = 1\n\nx = 2\nb\n", "a\nb\n"),
        ("a\nx = 1\nb\nx = 2\nc\n", "a\nb\nc\n"),
        ("if a:\n    x = 1\n    x = 2\n    b\n", "if a:\n    b\n"),
        ("if a:\n    x = 1\n    x = 2\n", None),
        ("x = 1; x = 2\nb\n", None),
    ],
)
def test_removing_statements(text: str, expected: str | None) -> None:
    module = module_of(text)
    statements = [node for node, _ in module.of_kind(ast.Assign)]
    assert applied(module, *edits.remove_statements(module, statements, module.scope)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("if a:\n    x = 1\n", "if a:\n    x = 1\n    y\n"),
        ("if a:\n\tx = (\n1)  # why", "if a:\n\tx = (\n1)  # why\n\ty"),
        ("if a: x = 1\n", None),
        ("x = 1; z = 2\n", None),
    ],
)
def test_putting_a_statement_below_another(text: str, expected: str | None) -> None:
    module = module_of(text)
    statement = module.of_kind(ast.Assign)[0][0]
    assert applied(module, edits.insert_statement_below(module, statement, "y")) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f():\n    x\n", "def f():\n    y\n    x\n"),
        (
            'def f():\n    """About."""\n\n    # Why.\n    x\n',
            'def f():\n    """About."""\n    y\n\n    # Why.\n    x\n',
        ),
        ('def f():\n    """About."""\n', 'def f():\n    y\n    """About."""\n'),
        (
            "def f(\n    a,  # Why.\n    # Why not.\n):\n    x\n",
            "def f(\n    a,  # Why.\n    # Why not.\n):\n    y\n    x\n",
        ),
        ("def f():\n    @a\n    def g(): ...\n", "def f():\n    y\n    @a\n    def g(): ...\n"),
        ("def f(): x\n", None),
    ],
)
def test_putting_a_statement_into_a_block(text: str, expected: str | None) -> None:
    module = module_of(text)
    function = module.functions[0].node
    assert applied(module, edits.insert_statement_into(module, function, "y")) == expected


@pytest.mark.parametrize(
    ("text", "is_literal"), [("[1, {'a': None}]", True), ("-1", True), ("[a]", False), ("f()", False)]
)
def test_literals(text: str, is_literal: bool) -> None:
    assert edits.is_literal(ast.parse(text, mode="eval").body) is is_literal


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@x\ndef f(): ...\n", "def f(): ...\n"),
        ("@a\n@x(1)  # why\n@b\ndef f(): ...\n", "@a\n@b\ndef f(): ...\n"),
        ("@x(\n    1,\n)\ndef f(): ...\n", "def f(): ...\n"),
        ("@(x)\ndef f(): ...\n", "def f(): ...\n"),
        ("@a\n@ (\n    (x(1))\n)  # why\n@b\ndef f(): ...\n", "@a\n@b\ndef f(): ...\n"),
        ("@(x or y)\ndef f(): ...\n", "def f(): ...\n"),
        ("@(\n    x  # why\n)\ndef f(): ...\n", None),
        ("@(x) if a else b\ndef f(): ...\n", "def f(): ...\n"),
    ],
)
def test_removing_a_decorator(text: str, expected: str | None) -> None:
    module = module_of(text)
    decorators = module.functions[0].node.decorator_list
    node = next(node for node in decorators if "x" in ast.unparse(node))
    assert applied(module, edits.remove_decorator(module, node)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("async def f(): ...\n", "@x\nasync def f(): ...\n"),
        ("class A:\n\t@a\n\tdef f(self): ...\n", "class A:\n\t@x\n\t@a\n\tdef f(self): ...\n"),
        ("@(a)\ndef f(): ...\n", None),
        ("if a:\n  def f(): ...\n", "if a:\n  @x\n  def f(): ...\n"),
    ],
)
def test_inserting_a_decorator(text: str, expected: str | None) -> None:
    module = module_of(text)
    assert applied(module, edits.insert_decorator(module, module.functions[0].node, "x")) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pytestmark = pytest.mark.asyncio\n", ""),
        ("pytestmark: object = [mark.asyncio]\n", ""),
        ("pytestmark = [mark.asyncio, mark.slow]\n", "pytestmark = [mark.slow]\n"),
        ("pytestmark = (mark.slow, mark.asyncio)\n", "pytestmark = mark.slow\n"),
        ("pytestmark = (mark.slow,\n              mark.asyncio)\n", "pytestmark = (mark.slow,)\n"),
        ("pytestmark = mark.slow, mark.asyncio\n", "pytestmark = mark.slow\n"),
        ("pytestmark = mark.slow, mark.asyncio, mark.fast\n", "pytestmark = mark.slow, mark.fast\n"),
        ("# Marks all tests.\npytestmark = mark.asyncio\n", ""),
        ("# All of them\n# are coroutines.\npytestmark = mark.asyncio\n\nx = 1\n", "\nx = 1\n"),
        ("# Marks all tests.\npytestmark = mark.asyncio\nx = 1\n", "# Marks all tests.\nx = 1\n"),
        ("# Needs a database.\npytestmark = mark.asyncio\n", "# Needs a database.\n"),
        ("# type: ignore[mark]\npytestmark = mark.asyncio\n", "# type: ignore[mark]\n"),
        ("pytestmark = [mark.slow] + [mark.asyncio]\n", None),
        ("pytestmark += [mark.asyncio]\n", None),
        ("marks = [mark.asyncio]\npytestmark = marks\n", None),
        ("marks = pytestmark = mark.asyncio\n", None),
        ("pytestmark = [mark.asyncio]\nprint(pytestmark)\n", None),
    ],
)
def test_removing_a_mark_of_the_module(text: str, expected: str | None) -> None:
    module = module_of(f"import pytest\nfrom pytest import mark\n{text}")
    mark = module.marks.named("asyncio")[0]
    result = applied(module, edits.remove_mark(module, mark))
    assert result == (None if expected is None else f"import pytest\nfrom pytest import mark\n{expected}")


def test_removing_a_mark_of_a_function() -> None:
    module = module_of("import pytest\n@pytest.mark.asyncio\ndef f(): ...\n")
    mark = module.functions[0].own_marks.named("asyncio")[0]
    assert applied(module, edits.remove_mark(module, mark)) == "import pytest\ndef f(): ...\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("async  def f(): ...", "async  def g(): ..."),
        ("def f(): ...", "def g(): ..."),
        ("async \\\n def f(): ...", None),
    ],
)
def test_renaming_a_function(before: str, after: str | None) -> None:
    module = module_of(f"{before}\n")
    result = applied(module, edits.rename_function(module, module.functions[0].node, "g"))
    assert result == (None if after is None else f"{after}\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [("async  def f(): ...", "def f(): ..."), ("def f(): ...", None), ("async \\\n def f(): ...", None)],
)
def test_making_a_function_sync(before: str, after: str | None) -> None:
    module = module_of(f"{before}\n")
    result = applied(module, edits.make_sync(module, module.functions[0].node))
    assert result == (None if after is None else f"{after}\n")


def test_renaming_an_attribute() -> None:
    module = module_of("x.\\\n  ä()\n")
    function = calls(module)[0].func
    assert isinstance(function, ast.Attribute)
    assert applied(module, edits.rename_attribute(function, "b")) == "x.\\\n  b()\n"


def test_that_what_cannot_be_taken_apart_is_left_alone() -> None:
    assert edits.brackets_in(Lines("(a"), 0, 2) is None
    assert edits.brackets_in(Lines("(a)(b)"), 0, 6) is None


# -- lists and arguments ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f(x)", "f()"),
        ("f(x,)", "f()"),
        ("f(x, a)", "f(a)"),
        ("f(a, x)", "f(a)"),
        ("f(a, x,)", "f(a,)"),
        ("f(a, ((x)), b)", "f(a, b)"),
        ("f(a, k=x)", "f(a)"),
        ("f(\n    a,\n    x,\n    b,\n)", "f(\n    a,\n    b,\n)"),
        ("f(\n    a,\n    x,\n)", "f(\n    a,\n)"),
        ("f(\n    a,  # why a\n    x,\n)", "f(\n    a,  # why a\n)"),
        ("f(\n    a,  # why a\n    x\n)", None),
        ("f(\n    x,  # why x\n    a,\n)", "f(\n    a,\n)"),
        ("f(a,  # why a\n  x, b)", "f(a,  # why a\n  b)"),
        ("f(g(1, 2), x, '(', [3, (4, 5)])", "f(g(1, 2), '(', [3, (4, 5)])"),
        ("(f)(a, x)", "(f)(a)"),
        ("f(a)(b, x)", "f(a)(b)"),
        ("f(f'({a}', x)", "f(f'({a}')"),
        ("f('#', x)", "f('#')"),
        ("f(y for y in x)", None),
    ],
)
def test_removing_an_argument(before: str, after: str | None) -> None:
    module = module_of(f"ä = {before}\n")
    call = next(
        call
        for call in calls(module)
        if any("x" in ast.unparse(argument) for argument in (*call.args, *(keyword.value for keyword in call.keywords)))
    )
    arguments: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    argument = next(each for each in arguments if ast.unparse(each).rstrip(")").endswith("x"))
    result = applied(module, edits.remove_argument(module, call, argument))
    assert result == (None if after is None else f"ä = {after}\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f()", "f(k=1)"),
        ("f(a)", "f(a, k=1)"),
        ("f(a,)", "f(a, k=1,)"),
        ("f(\n    a,  # why\n)", "f(\n    a,  # why\n    k=1,\n)"),
        ("f(\n    a\n)", "f(\n    a,\n    k=1\n)"),
        ("f(\n    a  # why\n)", "f(\n    a, k=1  # why\n)"),
        ("f(\n    a, b,\n)", "f(\n    a, b, k=1,\n)"),
        ("f(\n    a)", "f(\n    a, k=1)"),
        ("f(\n    b, (a,\n    c), )", "f(\n    b, (a,\n    c), k=1, )"),
        ("f((a))", "f((a), k=1)"),
        ("f(x for x in y)", None),
    ],
)
def test_adding_an_argument(before: str, after: str | None) -> None:
    module = module_of(f"{before}\n")
    result = applied(module, edits.add_argument(module, calls(module)[0], "k=1"))
    assert result == (None if after is None else f"{after}\n")


def test_renaming_a_keyword() -> None:
    module = module_of("f(a, scope = 'x')\n")
    assert applied(module, edits.rename_keyword(calls(module)[0].keywords[0], "loop_scope")) == (
        "f(a, loop_scope = 'x')\n"
    )


# -- await ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f()", "await f()"),
        ("x = f()", "x = await f()"),
        ("f().y", "(await f()).y"),
        ("f()[0]", "(await f())[0]"),
        ("g(f())", "g(await f())"),
        ("not f()", "not await f()"),
        ("-f() ** 2", "-await f() ** 2"),
        ("f() == 1", "await f() == 1"),
        ("(f()).y", "((await f())).y"),
        ("[f() for _ in y]", "[await f() for _ in y]"),
        ("(f() for _ in y)", None),
        ("f'{f()}'", "f'{await f()}'" if sys.version_info >= (3, 12) else None),
        ("lambda: f()", None),
    ],
)
def test_inserting_await(before: str, after: str | None) -> None:
    module = module_of(f"async def test():\n    {before}\n")
    call, scope, _ = module.index.calls["f"][0]
    result = applied(module, *edits.insert_await(module, call, scope))
    assert result == (None if after is None else f"async def test():\n    {after}\n")
    if result is not None:
        ast.parse(result)


def test_awaiting_what_is_called() -> None:
    module = module_of("async def test():\n    f()()\n")
    call, scope, _ = module.index.calls["f"][0]
    assert applied(module, *edits.insert_await(module, call, scope)) == "async def test():\n    (await f())()\n"


def test_awaiting_what_is_no_primary() -> None:
    module = module_of("async def test():\n    x = a or b\n")
    node = next(node for node in ast.walk(module.tree) if isinstance(node, ast.BoolOp))
    scope = module.functions[0].scope
    assert applied(module, *edits.insert_await(module, node, scope)) == "async def test():\n    x = await (a or b)\n"


def test_that_a_sync_function_cannot_await() -> None:
    module = module_of("def test():\n    f()\n")
    call, scope, _ = module.index.calls["f"][0]
    assert edits.insert_await(module, call, scope) == (None,)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = await f()", "x = f()"),
        ("await(f())", "(f())"),
        ("(await  f()).y", "(f()).y"),
        ("(await\n     f())", None),
    ],
)
def test_removing_await(before: str, after: str | None) -> None:
    module = module_of(f"async def test():\n    {before}\n")
    node = module.of_kind(ast.Await)[0][0]
    result = applied(module, edits.remove_await(module, node))
    assert result == (None if after is None else f"async def test():\n    {after}\n")


# -- names ------------------------------------------------------------------------------------------------------------


SPELLED = {
    "by its module": ("import pytest", "pytest", "mark.asyncio", "pytest.mark.asyncio", ()),
    "by another name": ("import pytest as pt", "pytest", "mark.asyncio", "pt.mark.asyncio", ()),
    "by a part": ("import pytest\nfrom pytest import mark", "pytest", "mark.asyncio", "mark.asyncio", ()),
    "by a part under another name": ("from pytest import mark as m", "pytest", "mark.asyncio", "m.asyncio", ()),
    "from a package": ("from unittest import mock", "unittest.mock", "AsyncMock", "mock.AsyncMock", ()),
    "by a dotted module": ("import unittest.mock", "unittest.mock", "AsyncMock", "unittest.mock.AsyncMock", ()),
    "by a module below": ("import unittest.mock", "unittest", "TestCase", "unittest.TestCase", ()),
    "by a package that may not have loaded it": (
        "import unittest",
        "unittest.mock",
        "AsyncMock",
        "AsyncMock",
        (Import("unittest.mock", "AsyncMock"),),
    ),
    "the thing itself": (
        "from unittest.mock import AsyncMock as AM",
        "unittest.mock",
        "AsyncMock",
        "AM",
        (),
    ),
    "under its other name": ("from mock import AsyncMock", "unittest.mock", "AsyncMock", "AsyncMock", ()),
    "that very module first": ("import httpx2\nimport httpx as h", "httpx", "URL", "h.URL", ()),
    "not imported": ("", "pytest_asyncio", "fixture", "pytest_asyncio.fixture", (Import("pytest_asyncio"),)),
    "not imported, but its like": (
        "from unittest.mock import patch",
        "unittest.mock",
        "AsyncMock",
        "AsyncMock",
        (Import("unittest.mock", "AsyncMock"),),
    ),
    "only in a condition": ("if x:\n    import pytest", "pytest", "mark", None, ()),
    "taken": ("pytest_asyncio = 1", "pytest_asyncio", "fixture", None, ()),
    "only for type checkers": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pytest",
        "pytest",
        "mark",
        "pytest.mark",
        (Import("pytest"),),
    ),
    "only for type checkers, and then": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pytest\nelse:\n    pytest = None",
        "pytest",
        "mark",
        None,
        (),
    ),
    "another one for type checkers": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import shop as pytest",
        "pytest",
        "mark",
        None,
        (),
    ),
    "where it may be missing": ("try:\n    import pytest\nexcept ImportError: ...", "pytest", "mark", None, ()),
    "bound twice": ("import pytest\npytest = 1", "pytest", "mark", None, ()),
    "another module": ("from . import pytest", "pytest", "mark", None, ()),
}


@pytest.mark.parametrize(("text", "home", "name", "expected", "imports"), SPELLED.values(), ids=SPELLED)
def test_how_a_file_names_a_thing(
    text: str, home: str, name: str, expected: str | None, imports: tuple[Import, ...]
) -> None:
    module = module_of(f"{text}\ndef test(): ...\n")
    spelled = edits.spell(module, module.functions[0].scope, home, name, line=9)
    assert spelled == (None if expected is None else edits.Spelled(expected, imports))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("import asyncio as aio\n    ...", edits.Spelled("aio.sleep")),
        ("...\n    import asyncio as aio", edits.Spelled("asyncio.sleep")),
        ("asyncio = 1\n    import asyncio as aio", None),
    ],
)
def test_imports_of_a_function(body: str, expected: edits.Spelled | None) -> None:
    text = f"def test():\n    {body}\n"
    module = module_of(text if expected is None else f"import asyncio\n{text}")
    line = module.text.splitlines().index("    ...") + 1 if "..." in body else 2
    assert edits.spell(module, module.functions[0].scope, "asyncio", "sleep", line=line) == expected
