"""How the plugin's cost and memory grow: with the number of files of a project, and with the length of a file.

    python -m tests.bench.growth files|lines SIZE ...

A process of its own, so that its memory is that of this alone.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flake8_async_tests import Checker

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES_IN_A_FOLDER = 40

_CONFTEST = """\
import pytest


@pytest.fixture
def order(client):
    return client
"""
_ROOT_CONFTEST = """\
import pytest_asyncio


@pytest_asyncio.fixture
async def client():
    yield
"""
_MODULE = """\
async def fetch_{number}(client): ...


class Client{number}:
    async def get(self): ...
"""
_TEST = """\
import asyncio
from unittest.mock import AsyncMock, patch

import pytest

from shop.part{number} import Client{number}, fetch_{number}


@pytest.mark.asyncio
async def test_total(order):
    client = Client{number}()
    assert await fetch_{number}(client) == await client.get()


@pytest.mark.asyncio
async def test_failure(order):
    with patch("shop.part{number}.fetch_{number}", AsyncMock(side_effect=ValueError)) as fetch:
        with pytest.raises(ValueError):
            await fetch(order)
        fetch.assert_awaited_once_with(order)


def test_alone():
    assert asyncio.run(fetch_{number}(None)) is None
"""
_PART_OF_A_LONG_FILE = '''

@pytest.mark.asyncio
async def test_{number}(client):
    """Orders are counted once."""
    fetch = AsyncMock(return_value={number})
    with patch("shop.fetch", fetch):
        found = await client.count({number})
        task = asyncio.create_task(client.count({number}))
        assert await task == found
    fetch.assert_awaited_once_with({number})
'''


@dataclass(frozen=True, slots=True)
class Step:
    """What was seen at one size: of a project in files, of a file in lines."""

    size: int
    ratio: float
    """The plugin's cost as a multiple of parsing, since the step before."""
    megabytes: float = 0.0
    """What the process holds in memory."""


def over_many_files(folder: Path, sizes: list[int]) -> Iterator[Step]:
    """Check a project of as many test files as the last size says, and look at each size on the way."""
    (folder / ".git").mkdir()
    (folder / "conftest.py").write_text(_ROOT_CONFTEST)
    (folder / "shop").mkdir()
    (folder / "shop" / "__init__.py").touch()
    parsing = checking = 0.0
    for number in range(sizes[-1]):
        tests = folder / "tests" / f"part{number // FILES_IN_A_FOLDER}"
        if number % FILES_IN_A_FOLDER == 0:
            tests.mkdir(parents=True)
            (tests / "__init__.py").touch()
            (tests / "conftest.py").write_text(_CONFTEST)
            for other in range(number, number + FILES_IN_A_FOLDER):
                (folder / "shop" / f"part{other}.py").write_text(_MODULE.format(number=other))
        spent = _check(str(tests / f"test_{number}.py"), _TEST.format(number=number))
        parsing, checking = parsing + spent[0], checking + spent[1]
        if number + 1 in sizes:
            yield Step(number + 1, checking / parsing, _megabytes_in_use())
            parsing = checking = 0.0


def over_a_long_file(folder: Path, sizes: list[int]) -> Iterator[Step]:
    """Check files of that many lines."""
    head = "import asyncio\nfrom unittest.mock import AsyncMock, patch\n\nimport pytest\n"
    lines = _PART_OF_A_LONG_FILE.count("\n")
    for size in sizes:
        text = head + "".join(_PART_OF_A_LONG_FILE.format(number=number) for number in range(size // lines))
        spent = [_check(str(folder / f"test_{size}_{number}.py"), text) for number in range(3)]
        yield Step(size, min(checking for _, checking in spent) / min(parsing for parsing, _ in spent))


def _check(path: str, text: str) -> tuple[float, float]:
    """The CPU time that parsing and checking take."""
    lines = text.splitlines(keepends=True)
    start = time.process_time()
    tree = ast.parse(text)
    parsed = time.process_time()
    for _ in Checker(tree, lines, path).run():
        pass
    return parsed - start, time.process_time() - parsed


def _megabytes_in_use() -> float:
    if not sys.platform.startswith("linux"):
        return float("nan")
    with open("/proc/self/statm", encoding="ascii") as stream:
        pages = int(stream.read().split()[1])
    import resource

    return pages * resource.getpagesize() / 1e6


def in_a_process_of_its_own(what: str, sizes: list[int]) -> list[Step]:
    command = [sys.executable, "-m", __name__, what, *map(str, sizes)]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    return [Step(**json.loads(line)) for line in ran.stdout.splitlines()]


def main(what: str, *sizes: str) -> None:
    grow = {"files": over_many_files, "lines": over_a_long_file}[what]
    with tempfile.TemporaryDirectory() as folder:
        for step in grow(Path(folder), [int(size) for size in sizes]):
            print(json.dumps(asdict(step)))


if __name__ == "__main__":
    main(*sys.argv[1:])
