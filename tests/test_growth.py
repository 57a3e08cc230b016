"""A file twice as long takes twice the work, whatever it repeats: counted in calls, not in seconds."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

import pytest

from flake8_async_tests import Checker
from tests.linting import configure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import FrameType

FEW = 150
MOST = 2.4
"""How many times the work twice the length may take; what grows with the square takes four times as much."""

HEAD = "import asyncio\nimport unittest\n\nimport pytest\n\n"


def repeat(text: str, *, head: str = "", tail: str = "") -> Callable[[int], str]:
    """A file that repeats some lines; `{n}` in them is a number of their own, `{next}` the one after it."""

    def make(times: int) -> str:
        lines = (text.replace("{n}", str(n)).replace("{next}", str(n + 1)) for n in range(times))
        return HEAD + head + "".join(lines) + tail

    return make


SHAPES = {
    "tests": repeat("async def test_{n}(tmp_path):\n    assert await get({n}) == {n}\n"),
    "marked tests": repeat("@pytest.mark.asyncio\nasync def test_{n}(a, b=1):\n    yield\n"),
    "marked sync tests": repeat("@pytest.mark.asyncio\ndef test_{n}(): ...\n"),
    "parametrized tests": repeat("@pytest.mark.parametrize('a', [1])\nasync def test_{n}(a): ...\n"),
    "shared marks": repeat(
        "@pytest.mark.asyncio\nasync def test_{n}(): ...\n", head="pytestmark = [pytest.mark.anyio, pytest.mark.slow]\n"
    ),
    "marks in a list": repeat(
        "    pytest.mark.anyio,\n", head="pytestmark = [\n", tail="]\nasync def test_it(): ...\n"
    ),
    "marks in a sum": repeat(
        "    + [pytest.mark.anyio]\n", head="pytestmark = (\n    []\n", tail=")\nasync def test_it(): ...\n"
    ),
    "parameter sets with marks": repeat(
        "    pytest.param({n}, marks=pytest.mark.asyncio),\n",
        head="@pytest.mark.parametrize('a', [\n",
        tail="])\nasync def test_it(a): ...\n",
    ),
    "classes": repeat(
        "class Test{n}:\n    async def setup_method(self): ...\n    async def asyncSetUp(self): ...\n"
        "    async def test_it(self): ...\n"
    ),
    "test cases": repeat(
        "class Test{n}(unittest.TestCase):\n    async def setUp(self): ...\n    async def asyncSetUp(self): ...\n"
        "    @pytest.mark.asyncio\n    async def test_it(self, a): ...\n"
    ),
    "heirs of one class": repeat(
        "class Test{n}(Base):\n    async def test_{n}(self): ...\n    async def asyncSetUp(self): ...\n",
        head="class Base(unittest.TestCase):\n    async def setUp(self): ...\n    async def asyncSetUp(self): ...\n"
        "    async def test_it(self, a): ...\n",
    ),
    "a line of heirs": repeat(
        "class Test{next}(Test{n}):\n    async def test_{n}(self): ...\n    async def setUp(self): ...\n",
        head="class Test0(unittest.TestCase): ...\n",
    ),
    "methods of one class": repeat("    async def test_{n}(self): ...\n", head="class TestIt:\n"),
    "methods of one test case": repeat(
        "    async def test_{n}(self, a): ...\n", head="class TestIt(unittest.IsolatedAsyncioTestCase):\n"
    ),
    "nested functions": repeat("    async def test_{n}(): assert True\n", head="async def test_it():\n"),
    "nested functions that are used": repeat(
        "    async def check_{n}(): assert True\n    await check_{n}()\n", head="async def test_it():\n"
    ),
    "nested functions of one name": repeat(
        "    async def check(): assert True\n    def use(check): check()\n", head="async def test_it():\n"
    ),
    "functions of one name": repeat("async def test_it(): ...\n"),
    "functions of one name in branches": repeat("if x == {n}:\n    async def test_it(): ...\n"),
    "classes of one name": repeat("class TestIt:\n    async def test_it(self): ...\n    async def setUp(self): ...\n"),
    "lambdas": repeat("    use(lambda: get({n}))\n", head="async def test_it():\n"),
    "assignments to one name": repeat(
        "    r = await client.get({n})\n    assert r.status == {n}\n    r.close()\n",
        head="async def test_it(client):\n",
    ),
    "assignments to one name of the module": repeat("r = get({n})\nassert r.status == {n}\nr.close()\n"),
    "assignments": repeat(
        "    r{n} = await client.get({n})\n    assert r{n}.status == {n}\n", head="async def test_it(client):\n"
    ),
    "names for names": repeat(
        "a{next} = a{n}\n", head="a0 = asyncio.sleep\n", tail="async def test_it():\n    await a3(1)\n"
    ),
    "many names for one thing": repeat("a{n} = asyncio.sleep\nasync def test_{n}():\n    await a{n}(1)\n"),
    "yields": repeat("    yield\n", head="@pytest.mark.asyncio\nasync def test_it():\n"),
    "awaits": repeat("    await asyncio.sleep({n})\n", head="async def test_it():\n"),
    "tasks": repeat("    t{n} = asyncio.create_task(get({n}))\n    await t{n}\n", head="async def test_it():\n"),
    "branches": repeat(
        "    if x == {n}:\n        r = await client.get({n})\n    r.close()\n", head="async def test_it(client):\n"
    ),
    "mocks": repeat(
        "    m{n} = AsyncMock(return_value={n})\n    m{n}.get.side_effect = Error\n    assert m{n}.awaited\n"
        "    m{n}.assert_awaited_once()\n",
        head="from unittest.mock import AsyncMock, patch\nasync def test_it():\n",
    ),
    "calls of one mock": repeat(
        "    m.get.return_value = {n}\n    await m.get({n})\n    m.get.assert_called_with({n})\n",
        head="from unittest.mock import AsyncMock\nasync def test_it():\n    m = AsyncMock()\n",
    ),
    "patches": repeat(
        "    with patch('app.get{n}', new=MagicMock()) as m{n}:\n        await get()\n",
        head="from unittest.mock import MagicMock, patch\nasync def test_it():\n",
    ),
    "clients": repeat(
        "    c{n} = httpx.AsyncClient(base_url='http://test')\n    await c{n}.get('/{n}')\n    await c{n}.aclose()\n",
        head="import httpx\nasync def test_it():\n",
    ),
    "requests of one client": repeat(
        "    r = await client.get('/{n}')\n    assert r.status_code == 200\n    await asyncio.sleep(0.1)\n",
        head="import httpx\nasync def test_it():\n    client = httpx.AsyncClient()\n",
    ),
    "sessions": repeat(
        "    session.add({n})\n    await session.commit()\n    session.refresh({n})\n",
        head="from sqlalchemy.ext.asyncio import AsyncSession\nasync def test_it(session: AsyncSession):\n",
    ),
    "events and queues": repeat(
        "    e{n} = asyncio.Event()\n    e{n}.set()\n    await e{n}.wait()\n    t = asyncio.create_task(e{n}.wait())\n"
        "    t.cancel()\n",
        head="async def test_it():\n",
    ),
    "handlers": repeat(
        "    try:\n        await get({n})\n    except asyncio.CancelledError:\n        pass\n",
        head="async def test_it():\n",
    ),
    "fixtures": repeat("@pytest.fixture\n@pytest.mark.asyncio\nasync def f{n}(): yield\n"),
    "fixtures that are asked for": repeat("@pytest.fixture\nasync def f{n}(): yield\nasync def test_{n}(f{n}): ...\n"),
    "elements of a list": repeat("    ({n}, 'a'),\n", head="VALUES = [\n", tail="]\nasync def test_it(): ...\n"),
    "elements of a dictionary": repeat(
        "    'a{n}': get({n}),\n", head="VALUES = {\n", tail="}\nasync def test_it(): ...\n"
    ),
    "imports": repeat("import m{n}\nfrom n{n} import a, b as b{n}\n", tail="async def test_it(): ...\n"),
    "imports of one name": repeat("import asyncio\n", tail="async def test_it():\n    await asyncio.sleep(1)\n"),
    "decorators": repeat("@pytest.mark.slow\n", tail="async def test_it(): ...\n"),
    "statements of a conftest": repeat("pytestmark = pytest.mark.asyncio\n"),
    "marks added by a conftest": repeat(
        "    item.add_marker(pytest.mark.asyncio, append=False)\n", head="def pytest_collection_modifyitems(items):\n"
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_that_the_work_grows_with_the_length_alone(name: str, tmp_path: Path) -> None:
    make = SHAPES[name]
    path = tmp_path / ("conftest.py" if "conftest" in name else "test_it.py")
    work(make(1), path)  # what is done once for each run is none of this file's work
    once, twice = work(make(FEW), path), work(make(2 * FEW), path)
    assert twice < MOST * once, (once, twice)


def work(text: str, path: Path) -> int:
    """How many functions are called, Python's own included, to lint a text."""
    configure(["--extend-select=AT9"])
    checker = Checker(ast.parse(text), text.splitlines(keepends=True), str(path))
    return calls_in(lambda: list(checker.run()))


def calls_in(action: Callable[[], object]) -> int:
    """How many functions an action calls."""
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:  # noqa: ARG001
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        action()
    finally:
        sys.setprofile(before)
    return calls


def test_that_a_test_file_of_fifty_thousand_lines_takes_little_for_each_node(tmp_path: Path) -> None:
    text = repeat(
        "@pytest.mark.asyncio\nasync def test_{n}(client):\n    # What is asked for is there.\n"
        '    """The response has what was asked for."""\n\n    client = make({n})\n\n'
        "    assert (await client.get({n})).status == 200\n    await client.close()\n\n\n"
    )(4600)
    assert text.count("\n") > 50_000
    assert work(text, tmp_path / "test_it.py") < 30 * sum(1 for _ in ast.walk(ast.parse(text)))


def test_that_a_literal_of_a_hundred_thousand_elements_takes_little_for_each(tmp_path: Path) -> None:
    text = f"{HEAD}VALUES = [{'1, ' * 100_000}]\nasync def test_it(): ...\n"
    assert work(text, tmp_path / "test_it.py") < 3 * 100_000
