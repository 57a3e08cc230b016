"""What a file costs does not grow with the project that it is in: counted in calls, not in seconds."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from flake8_async_tests import Checker
from tests.linting import configure
from tests.test_growth import calls_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FEW = 100
MOST = 1.3
"""How many times as much a file may cost in a project three times as large; what grows with it costs three times."""

Files = dict[str, str]


def text_of_test(imports: str = "", requests: str = "", statement: str = "pass") -> str:
    return (
        f"import asyncio\nimport pytest\n{imports}\n\n\n"
        f"@pytest.mark.asyncio\nasync def test_it({requests}):\n    await asyncio.sleep(0)\n    {statement}\n"
    )


def fixture(name: str, requests: str = "") -> str:
    return f"@pytest.fixture\nasync def {name}({requests}):\n    yield 1\n\n\n"


def conftests_with_async_fixtures(count: int) -> Iterator[tuple[str, str]]:
    yield "conftest.py", "import pytest\n" + fixture("order") + fixture("user", "order")
    for number in range(count):
        folder = f"part{number // 10}/sub{number}"
        yield f"{folder}/conftest.py", "import pytest\n" + fixture("client", "order")
        yield f"{folder}/test_it.py", text_of_test(requests="client", statement="client.close()")


def helpers_with_fixtures(count: int) -> Iterator[tuple[str, str]]:
    """Modules of fixtures, which conftests import by stars and test files by name."""
    modules = count // 2
    yield "helpers/__init__.py", ""
    for number in range(modules):
        yield (
            f"helpers/m{number}.py",
            f"import pytest\n{fixture(f'client{number}')}async def fetch{number}(): ...\n",
        )
    for number in range(count):
        own = number % modules
        if number % 10 == 0:
            stars = "".join(f"from helpers.m{(own + other) % modules} import *\n" for other in range(8))
            yield f"part{number // 10}/conftest.py", stars
        yield (
            f"part{number // 10}/test_{number}.py",
            text_of_test(f"from helpers.m{own} import fetch{own}", f"client{own}", f"fetch{own}()"),
        )


def one_flat_folder(count: int) -> Iterator[tuple[str, str]]:
    fixtures = "".join(fixture(f"client{number}", f"client{number + 1}") for number in range(50))
    yield "conftest.py", f"import pytest\n{fixtures}"
    for number in range(count):
        yield f"test_{number}.py", text_of_test(requests=f"client{number % 50}", statement="client.close()")


def modules_of_an_application(count: int) -> Iterator[tuple[str, str]]:
    modules = count // 2
    yield "shop/__init__.py", ""
    for number in range(modules):
        base = (number or modules) - 1
        yield (
            f"shop/m{number}.py",
            (
                f"from shop.m{base} import Base{base}\n\n\nasync def fetch{number}(): ...\n\n\n"
                f"class Base{number}(Base{base}):\n    async def get(self): ...\n"
            ),
        )
    for number in range(count):
        own = number % modules
        imports = "\n".join(
            f"from shop.m{each} import Base{each}, fetch{each}"
            for each in ((number * 3 + other) % modules for other in range(6))
        )
        own = number * 3 % modules
        yield f"tests/test_{number}.py", text_of_test(imports, "", f"fetch{own}(); Base{own}().get(1)")


def stars_upon_stars(count: int) -> Iterator[tuple[str, str]]:
    """A fixed number of modules, each of which imports all of all others."""
    for number in range(12):
        stars = "".join(f"from m{other} import *\n" for other in range(12) if other != number)
        yield f"m{number}.py", f"{stars}async def fetch{number}(): ...\n"
    for number in range(count):
        imports = f"from m{number % 12} import *\nfrom m{number % 7} import fetch{number % 5}"
        yield f"test_{number}.py", text_of_test(imports, "", f"fetch{number % 5}(); fetch{number % 11}(); nothing()")


SHAPES = (
    conftests_with_async_fixtures,
    helpers_with_fixtures,
    modules_of_an_application,
    one_flat_folder,
    stars_upon_stars,
)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_that_a_file_costs_the_same_in_a_larger_project(
    tmp_path: Path, shape: Callable[[int], Iterator[tuple[str, str]]]
) -> None:
    small, large = (work_per_file(dict(shape(count)), tmp_path / str(count)) for count in (FEW, 3 * FEW))
    assert large < MOST * small, (small, large)


def work_per_file(files: Files, root: Path) -> float:
    (root / ".git").mkdir(parents=True)
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    configure(["--extend-select=AT9"])
    checkers = [
        Checker(ast.parse(text), text.splitlines(keepends=True), str(root / name)) for name, text in files.items()
    ]
    work = calls_in(lambda: [list(checker.run()) for checker in checkers])
    assert max(Checker.project.files.reads.values()) == 1
    return work / len(files)
