"""Programs that nobody wrote: no rule fails on one, and what is found in it is found again.

Each run of the tests tries the same few; `tox -e fuzz` tries thousands of others.
"""

from __future__ import annotations

import ast
import os
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from flake8_async_tests import Checker
from flake8_async_tests.rules import all_rules
from tests.fixing import fix_files, fix_project
from tests.linting import configure
from tests.programs import program

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))

SURROUNDINGS = {
    "nothing": {},
    "auto mode": {"pytest.ini": "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = session\n"},
    "anyio": {
        "conftest.py": "import pytest\n\n\n@pytest.fixture(scope='session', autouse=True)\n"
        "def anyio_backend():\n    return 'asyncio'\n",
        "pyproject.toml": "[tool.pytest.ini_options]\nanyio_mode = 'auto'\npython_functions = '*'\n",
    },
    "everything a test": {
        "pytest.ini": "[pytest]\npython_functions = *\npython_classes = *\n",
        "helpers.py": "async def fetch(): ...\n\n\n"
        "class Client:\n    async def get(self): ...\n    def close(self): ...\n",
        "conftest.py": "import pytest\nimport pytest_asyncio\nfrom helpers import *\n\n\n"
        "@pytest_asyncio.fixture(loop_scope='module')\nasync def client():\n    yield Client()\n\n\n"
        "@pytest.fixture\nasync def order(client): ...\n",
    },
}


deterministic = settings(
    max_examples=EXAMPLES or 60,
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@deterministic
@given(st.integers(0, 2**32), st.sampled_from(sorted(SURROUNDINGS)), st.sampled_from(("test_it.py", "conftest.py")))
def test_that_no_rule_fails_on_a_program_that_nobody_wrote(seed: int, surroundings: str, name: str) -> None:
    text = program(Random(seed))
    if text is None:
        reject()
    tree, lines = ast.parse(text), text.splitlines(keepends=True)
    before = ast.dump(tree, include_attributes=True)
    with TemporaryDirectory() as folder:
        root = Path(folder)
        (root / ".git").mkdir()
        for other, content in SURROUNDINGS[surroundings].items():
            (root / other).write_text(content)
        configure(["--extend-select=AT9"])
        path = str(root / "sub" / name)
        found = Checker(tree, lines, path).reports(all_rules())
        assert Checker(tree, lines, path).reports(all_rules()) == found
        configure(["--extend-select=AT9"])
        assert Checker(ast.parse(text), lines, path).reports(all_rules()) == found
    assert ast.dump(tree, include_attributes=True) == before
    for line, column, message in found:
        assert 1 <= line <= len(lines), message
        assert 0 <= column < len(lines[line - 1]), message
        assert message.isprintable()


@settings(deterministic, max_examples=EXAMPLES or 15)
@given(st.integers(0, 2**32), st.sampled_from(sorted(SURROUNDINGS)))
def test_that_what_fixes_make_of_such_a_program_is_python_and_needs_no_more(seed: int, surroundings: str) -> None:
    text = program(Random(seed))
    if text is None:
        reject()
    with TemporaryDirectory() as name:
        folder = Path(name)
        files = {**SURROUNDINGS[surroundings], "sub/test_it.py": text}
        results = fix_project(files, folder, ["--extend-select=AT9"], {"AT"})
        for path, result in results.items():
            ast.parse(result.content)
            (folder / path).write_bytes(result.content)
        again = fix_files(folder, results, {"AT"})
        assert {path: result.text for path, result in again.items() if result.has_changed} == {}
