"""Imports that fixes bring along, and those that they orphan."""

from __future__ import annotations

import pytest

from flake8_async_tests.fixing.imports import add_imports, remove_orphans
from flake8_async_tests.rule import Import

TEST = "\n\ndef test_one(): ...\n"

ADDED = {
    "beside its like": (
        "import asyncio\n\nimport pytest\nfrom shop import app\n",
        Import("pytest_asyncio"),
        "import asyncio\n\nimport pytest\nimport pytest_asyncio\nfrom shop import app\n",
    ),
    "above its like": ("import pytest\n", Import("httpx"), "import httpx\nimport pytest\n"),
    "the standard library first": ("import pytest\n", Import("asyncio"), "import asyncio\n\nimport pytest\n"),
    "in order within the standard library": (
        "import abc\nimport os\n\nimport pytest\n",
        Import("asyncio"),
        "import abc\nimport asyncio\nimport os\n\nimport pytest\n",
    ),
    "below the standard library": ("import os\n", Import("pytest"), "import os\n\nimport pytest\n"),
    "above what is relative": ("from . import app\n", Import("pytest"), "import pytest\n\nfrom . import app\n"),
    "there already": ("import pytest\n", Import("pytest"), "import pytest\n"),
    "there already, from": ("from httpx import Client\n", Import("httpx", "Client"), "from httpx import Client\n"),
    "under another name is not there": (
        "import pytest as pt\n",
        Import("pytest"),
        "import pytest as pt\nimport pytest\n",
    ),
    "joins a from-import": (
        "from unittest.mock import AsyncMock, patch\n",
        Import("unittest.mock", "MagicMock"),
        "from unittest.mock import AsyncMock, MagicMock, patch\n",
    ),
    "joins as the last": (
        "from unittest.mock import ANY, AsyncMock  # those\n",
        Import("unittest.mock", "MagicMock"),
        "from unittest.mock import ANY, AsyncMock, MagicMock  # those\n",
    ),
    "joins lines": (
        "from unittest.mock import (\n    AsyncMock,\n    patch,\n)\n",
        Import("unittest.mock", "MagicMock"),
        "from unittest.mock import (\n    AsyncMock,\n    MagicMock,\n    patch,\n)\n",
    ),
    "joins lines as the last": (
        "from httpx import (\n    AsyncClient,\n    Client\n)\n",
        Import("httpx", "Timeout"),
        "from httpx import (\n    AsyncClient,\n    Client,\n    Timeout\n)\n",
    ),
    "joins behind a backslash": (
        "from unittest.mock import \\\n    AsyncMock, \\\n    patch\n",
        Import("unittest.mock", "MagicMock"),
        "from unittest.mock import \\\n    AsyncMock, \\\n    MagicMock, patch\n",
    ),
    "does not join a star": (
        "from httpx import *\n",
        Import("httpx", "Timeout"),
        "from httpx import *\nfrom httpx import Timeout\n",
    ),
    "below a docstring": ('"""About."""\n', Import("pytest"), '"""About."""\n\nimport pytest\n'),
    "below the future": (
        '"""About."""\nfrom __future__ import annotations\n',
        Import("pytest"),
        '"""About."""\nfrom __future__ import annotations\n\nimport pytest\n',
    ),
    "below a licence": ("# Licence.\n\n", Import("pytest"), "# Licence.\n\nimport pytest\n"),
    "below a cookie": (
        "#!/usr/bin/python\n# -*- coding: utf-8 -*-\n",
        Import("pytest"),
        "#!/usr/bin/python\n# -*- coding: utf-8 -*-\n\nimport pytest\n",
    ),
    "not into a condition": (
        "import sys\nif sys:\n    import pytest\nfrom typing import X\nif X:\n    import httpx\n",
        Import("pytest"),
        "import sys\nif sys:\n    import pytest\nfrom typing import X\n\nimport pytest\nif X:\n    import httpx\n",
    ),
    "not between two statements of a line": (
        "import pytest; import shop\n",
        Import("pytest_asyncio"),
        "import pytest_asyncio\nimport pytest; import shop\n",
    ),
}


@pytest.mark.parametrize(("before", "wanted", "after"), ADDED.values(), ids=ADDED)
def test_where_an_import_is_added(before: str, wanted: Import, after: str) -> None:
    assert add_imports(before + TEST, [wanted]) == after + TEST


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def test_one(): ...\n", "import pytest\n\n\ndef test_one(): ...\n"),
        ("\ndef test_one(): ...\n", "import pytest\n\n\ndef test_one(): ...\n"),
        ("# About it.\ndef test_one(): ...\n", "import pytest\n\n\n# About it.\ndef test_one(): ...\n"),
        ("#!/usr/bin/python\ndef f(): ...\n", "#!/usr/bin/python\nimport pytest\n\n\ndef f(): ...\n"),
        ("@f\ndef g(): ...\n", "import pytest\n\n\n@f\ndef g(): ...\n"),
        ("async def f(): ...\n", "import pytest\n\n\nasync def f(): ...\n"),
        ("try:\n    import os\nfinally: ...\n", "import pytest\n\ntry:\n    import os\nfinally: ...\n"),
        ("\ndefault = 1\n", "import pytest\n\ndefault = 1\n"),
        ("import os", "import os\n\nimport pytest"),
        ("import os\r\n", "import os\r\n\r\nimport pytest\r\n"),
        ("def f(): ...\nimport os\n", "import pytest\n\n\ndef f(): ...\nimport os\n"),
        ("", "import pytest\n\n\n"),
    ],
)
def test_at_the_edges_of_a_file(before: str, after: str) -> None:
    assert add_imports(before, [Import("pytest")]) == after


def test_that_each_is_added_once() -> None:
    assert add_imports("import os\n", [Import("pytest"), Import("httpx"), Import("pytest")]) == (
        "import os\n\nimport httpx\nimport pytest\n"
    )


MARK = "@pytest.mark.asyncio\n"

REMOVED = {
    "the only name": ("import pytest\n\n\n", "", "def test(): ...\n"),
    "one of several": ("from x import a, pytest, b\n", "from x import a, b\n", "def test(): a, b\n"),
    "the first of several": ("from x import pytest, b\n", "from x import b\n", "def test(): b\n"),
    "the last of several": ("from x import a, pytest\n", "from x import a\n", "def test(): a\n"),
    "under a name": ("import x as pytest\n", "", "def test(): ...\n"),
    "still used": ("import pytest\n", "import pytest\n", "def test(): pytest\n"),
    "bound twice": (
        "import pytest\nimport pytest.mark\n",
        "import pytest\nimport pytest.mark\n",
        "def test(): ...\n",
    ),
    "in a condition": ("if x:\n    import pytest\n", "if x:\n    import pytest\n", "def test(): ...\n"),
    "kept on purpose": ("import pytest  # noqa: F401\n", "import pytest  # noqa: F401\n", "def test(): ...\n"),
    "sharing its line": ("import pytest; import os\n", "import pytest; import os\n", "def test(): ...\n"),
    "in an annotation": ("import pytest\n", "import pytest\n", 'def test(m: "pytest.Mark | None"): ...\n'),
    "handed on": ("import pytest\n", "import pytest\n", '__all__ = ["pytest"]\ndef test(): ...\n'),
    "in prose": ("import pytest\n", "", 'def test():\n    """Runs pytest (as it were)."""\n'),
    "another import": ("import pytest\nimport os\n", "import os\n", "def test(): ...\n"),
}


@pytest.mark.parametrize(("before", "after", "code"), REMOVED.values(), ids=REMOVED)
def test_which_imports_go(before: str, after: str, code: str) -> None:
    definition = code.index("def ")
    marked = code[:definition] + MARK + code[definition:]
    assert remove_orphans(before + marked, before + code) == after + code


IN_FUNCTIONS = {
    "the only name": ("    import time\n    ", "    "),
    "with a blank line below": ("    import time\n\n    ", "    "),
    "below a docstring": ('    """It."""\n\n    import time\n\n    ', '    """It."""\n\n    '),
    "one of several": ("    from x import a, time\n    a; ", "    from x import a\n    a; "),
    "still used": ("    import time\n    time; ", "    import time\n    time; "),
    "used by a function in it": (
        "    import time\n    def g(): time\n    ",
        "    import time\n    def g(): time\n    ",
    ),
    "of a function in it": ("    def g():\n        import time\n        time\n    ", None),
    "for all": ("    global time\n    import time\n    ", "    global time\n    import time\n    "),
    "in a block": ("    if x:\n        import time\n    ", "    if x:\n        import time\n    "),
    "bound twice": ("    import time\n    import time\n    ", "    import time\n    import time\n    "),
    "sharing its line": ("    import time; ", "    import time; "),
    "kept on purpose": ("    import time  # noqa\n    ", "    import time  # noqa\n    "),
}


@pytest.mark.parametrize(("before", "after"), IN_FUNCTIONS.values(), ids=IN_FUNCTIONS)
def test_which_imports_of_a_function_go(before: str, after: str | None) -> None:
    head, other = "async def test():\n", "\n\n\ndef other():\n    import time\n    time\n"
    fixed = f"{head}{before}await f(){other}"
    expected = fixed if after is None else f"{head}{after}await f(){other}"
    assert remove_orphans(f"{head}{before}time.f(){other}", fixed) == expected


def test_that_a_function_keeps_its_only_statement() -> None:
    text = "def f({}):\n    import time\n"
    assert remove_orphans(text.format("x=time"), text.format("")) == text.format("")


def test_that_functions_that_cannot_be_told_apart_keep_their_imports() -> None:
    text = "def f():\n    import time\n    {}\n"
    after = text.format("def g(): ...")
    assert remove_orphans(text.format("time"), after) == after


def test_that_a_package_keeps_its_imports() -> None:
    before, after = "import pytest\n" + MARK + "def test(): ...\n", "import pytest\ndef test(): ...\n"
    assert remove_orphans(before, after, is_package=True) == after


def test_that_what_was_unused_before_is_nobodys_business() -> None:
    text = "import pytest\nx = 1\n"
    assert remove_orphans(text, text) == text


def test_that_the_future_stays() -> None:
    before = "from __future__ import annotations\nannotations\n"
    assert remove_orphans(before, before.replace("\nannotations", "\n")) == "from __future__ import annotations\n\n"
