"""The same is found of a project whatever of it is checked, in which order, from where, and by which paths.

The projects are put together by chance from what hands things on between files: conftests, helpers, star imports,
plugins, configuration in several folders. Each run of the tests tries the same ones; `tox -e fuzz` tries others.
"""

from __future__ import annotations

import ast
import contextlib
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeAlias
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flake8_async_tests import Checker, requesters
from flake8_async_tests.project import excerpts
from flake8_async_tests.project import project as project_module
from flake8_async_tests.rules import all_rules
from tests.linting import configure, lint_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))

HEAD = "import asyncio\nimport pytest\nimport pytest_asyncio\nfrom unittest.mock import AsyncMock, MagicMock\n"
IMPORTS = (
    "from helpers import *",
    "from .helpers import *",
    "from a.helpers import *",
    "from shop import *",
    "from conftest import *",
    "from shop import fetch",
    "from shop import Client, Base",
    "from helpers import client",
    "from helpers import fetch as fetch",
    "from a.helpers import client as order",
    "from a import helpers",
    "import shop",
    "import helpers",
    "try:\n    from shop import fetch\nexcept ImportError:\n    fetch = None",
    "try:\n    from helpers import client\nexcept ImportError:\n    @pytest.fixture\n    async def client(): ...",
    "pytest_plugins = ['helpers']",
    "pytest_plugins = ['a.helpers', 'b']",
)
DEFINITIONS = (
    "@pytest.fixture\nasync def client():\n    yield 1",
    "@pytest_asyncio.fixture\nasync def client(order): ...",
    "@pytest.fixture(autouse=True)\nasync def order(): ...",
    "@pytest.fixture(name='client')\ndef make(): ...",
    "@pytest.fixture(scope='session')\ndef event_loop(): ...",
    "@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'",
    "def pytest_collection_modifyitems(items):\n    for item in items:\n        item.add_marker(pytest.mark.asyncio)",
    "async def fetch(): ...",
    "fetch = print",
    "class Client:\n    async def get(self): ...",
    "class Client(Base):\n    async def put(self): ...",
    "class Base:\n    async def get(self): ...",
    "Base = shop.Base",
    "setattr(Client, 'get', print)",
    "def change():\n    global fetch\n    fetch = print",
    "def change():\n    Client.get = print",
    "client = 1",
    "TEXT = '''\nasync def fetch(): ...\n'''",
)
TESTS = (
    "async def test_it(client): ...",
    "@pytest.mark.asyncio\nasync def test_it(client, order):\n    assert client.name",
    "@pytest.mark.anyio\nasync def test_it(client): ...",
    "@pytest.mark.asyncio\nasync def test_it():\n    fetch()\n    Client().get()\n    shop.fetch()",
    "def test_it(client, event_loop):\n    assert fetch()",
    "async def test_it(event_loop):\n    client = Client()\n    client.get()\n    helpers.fetch()\n    client.put()",
    "class TestIt:\n    @pytest.fixture\n    async def client(self): ...\n    async def test_it(self, client): fetch()",
)
OPTIONS = (
    "asyncio_mode = auto",
    "asyncio_mode = strict",
    "python_files = *.py",
    "pythonpath = src",
    "addopts = -p helpers",
    "usefixtures = client",
    "asyncio_timeout = 5",
    "anyio_mode = auto",
)
MODULES = ("helpers.py", "a/helpers.py", "shop.py", "src/shop.py", "a/__init__.py", "a/b/__init__.py")
CONFTESTS = ("conftest.py", "a/conftest.py", "a/b/conftest.py", "c/conftest.py")
TEST_FILES = ("test_one.py", "a/test_two.py", "a/b/test_three.py", "a/b/test_four.py", "c/test_five.py")
CONFIGURATIONS = ("pytest.ini", "a/pytest.ini", "c/tox.ini")

Files: TypeAlias = dict[str, str]
Found: TypeAlias = dict[str, list[tuple[int, int, str]]]


def texts(*kinds: tuple[str, ...], head: str = HEAD) -> st.SearchStrategy[str]:
    parts = st.lists(st.sampled_from([each for kind in kinds for each in kind]), max_size=5, unique=True)
    return parts.map(lambda found: head + "".join(f"{part}\n" for part in found))


def some(names: tuple[str, ...], content: st.SearchStrategy[str], least: int = 0) -> st.SearchStrategy[Files]:
    return st.dictionaries(st.sampled_from(names), content, min_size=least)


@st.composite
def projects(draw: st.DrawFn) -> Files:
    return {
        **draw(some(MODULES, texts(IMPORTS, DEFINITIONS))),
        **draw(some(CONFTESTS, texts(IMPORTS, DEFINITIONS))),
        **draw(some(CONFIGURATIONS, texts(OPTIONS, head="[pytest]\n"))),
        **draw(some(TEST_FILES, texts(IMPORTS, DEFINITIONS, TESTS), least=2)),
    }


@contextlib.contextmanager
def written(files: Files) -> Iterator[Path]:
    with TemporaryDirectory() as name:
        root = Path(name).resolve() / "project"
        (root / ".git").mkdir(parents=True)
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        yield root


def found_in(names: Iterable[str], path_of: Callable[[str], str]) -> Found:
    """What one process finds in some files, in this order, by these paths."""
    found = {}
    for name in names:
        text = Path(path_of(name)).read_text()
        checker = Checker(ast.parse(text), text.splitlines(keepends=True), path_of(name))
        found[name] = checker.reports(all_rules())
        Checker.project.let_go()
    return found


def ways(root: Path) -> dict[str, tuple[Path, Callable[[str], str]]]:
    """The current folder and the path of a file, for each way to name it."""
    folder = root / "elsewhere"
    folder.mkdir(exist_ok=True)
    alias = root.parent / "alias"
    if not alias.exists():
        alias.symlink_to(root, target_is_directory=True)
    return {
        "the whole path": (root.parent, lambda name: str(root / name)),
        "from the root": (root, lambda name: name),
        "from the root with a dot": (root, lambda name: f"./{name}"),
        "from a folder beside it": (folder, lambda name: f"../{name}"),
        "in a roundabout way": (root, lambda name: f"elsewhere/../{name}"),
        "through a link": (root.parent, lambda name: str(alias / name)),
        "within a link": (alias, lambda name: name),
    }


deterministic = settings(
    max_examples=EXAMPLES or 25,
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@deterministic
@given(files=projects(), data=st.data())
def test_that_neither_order_nor_choice_nor_memory_matters(files: Files, data: st.DataObject) -> None:
    names = [name for name in files if name.endswith(".py")]
    with written(files) as root:

        def found(some: Iterable[str]) -> Found:
            configure(["--extend-select=AT9"])
            return found_in(some, lambda name: str(root / name))

        expected = found(names)
        order = data.draw(st.permutations(names))
        assert found(order) == expected
        for name in order:
            assert found([name]) == {name: expected[name]}
        with mock.patch.object(excerpts, "_MOST_GIVEN", -1), mock.patch.object(requesters, "_FEW_SEARCHES", 0):
            assert found(order) == expected
        with mock.patch.object(project_module, "_MOST_FILES_CHECKED", data.draw(st.integers(1, 3))):
            assert found(order) == expected


@deterministic
@given(files=projects(), data=st.data())
def test_that_it_does_not_matter_from_where_and_how_files_are_named(files: Files, data: st.DataObject) -> None:
    names = data.draw(st.permutations([name for name in files if name.endswith(".py")]))
    before = Path.cwd()
    with written(files) as root:
        expected: Found | None = None
        for way, (folder, path_of) in ways(root).items():
            os.chdir(folder)
            try:
                configure(["--extend-select=AT9"])
                found = found_in(names, path_of)
            finally:
                os.chdir(before)
            expected = expected or found
            assert found == expected, way


def found_by(orders: list[list[str]], files: Files, root: Path) -> list[list[str]]:
    """The codes in the files, in the order of their names, for each order in which they are checked."""
    (root / ".git").mkdir()
    for name, text in files.items():
        (root / name).write_text(text)
    found = []
    for order in orders:
        configure()
        codes = {name: [each.code for each in lint_text(root / name, files[name])] for name in order}
        found.append([code for name in sorted(codes) for code in codes[name]])
    return found


def test_that_modules_which_import_from_each_other_are_no_matter_of_order(tmp_path: Path) -> None:
    fixture = "import pytest\n\n\n@pytest.fixture\ndef event_loop(): ...\n"
    files = {
        "a.py": "from b import event_loop\n",
        "b.py": f"try:\n    from a import event_loop\nexcept ImportError:\n{fixture}".replace("\n\n\n@", "\n    @")
        .replace("\nimport", "\n    import")
        .replace("\ndef", "\n    def"),
        "test_a.py": "from a import event_loop\nasync def test_it(event_loop): ...\n",
        "test_b.py": "from b import event_loop\nasync def test_it(event_loop): ...\n",
    }
    one, other = found_by([["test_a.py", "test_b.py"], ["test_b.py", "test_a.py"]], files, tmp_path)
    assert one == other


@pytest.mark.parametrize("first", range(0, 12, 3))
def test_that_a_long_line_of_imports_is_no_matter_of_order(tmp_path: Path, first: int) -> None:
    files = {f"m{number}.py": f"from m{number + 1} import x\n" for number in range(12)}
    files["m12.py"] = "async def x(): ...\n"
    tests = {f"test_{number}.py": f"from m{number} import x\nasync def test_it():\n    x()\n" for number in range(12)}
    forwards = sorted(tests, key=lambda name: int(name[5:-3]))
    orders = [forwards, forwards[::-1], [f"test_{first}.py", *tests]]
    one, *others = found_by(orders, files | tests, tmp_path)
    assert one
    assert others == [one, one]
