"""What an editor shows, by the real python-lsp-server: findings of the buffer, by the configuration of its place."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.documents import texts_of
from tests.integrations.checkout import repository_with
from tests.integrations.language_server import LanguageServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ON_THE_DISK = "import asyncio\n\n\ndef test_saved():\n    assert asyncio\n"
IN_THE_BUFFER = """\
import asyncio


async def test_total():
    assert "größer" and asyncio.get_event_loop()
    asyncio.create_task(asyncio.sleep(0))
"""

FILES = {
    "orders/pytest.ini": "[pytest]\nasyncio_mode = auto\n",
    "orders/tests/test_orders.py": ON_THE_DISK,
    "mail/pytest.ini": "[pytest]\nasyncio_mode = strict\n",
    "mail/tests/test_mail.py": ON_THE_DISK,
    "pytest.ini": "[pytest]\nasyncio_mode = auto\n",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return repository_with(FILES, tmp_path / "workspace")


@pytest.fixture
def server(workspace: Path, tmp_path: Path) -> Iterator[LanguageServer]:
    """The server with the settings of the page, started where no project is."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "pytest.ini").write_text("[pytest]\nasyncio_mode = strict\n", encoding="utf-8")
    (settings,) = texts_of("docs/editors.md", "json")
    with LanguageServer([sys.executable, "-m", "pylsp"], workspace, elsewhere) as started:
        started.configure(json.loads(settings))
        yield started


def places(diagnostics: list[dict[str, Any]]) -> list[tuple[str, int, int]]:
    """The code, the line and the character of each finding of the plugin, the latter two counted from 0."""
    return [
        (each["code"], each["range"]["start"]["line"], each["range"]["start"]["character"])
        for each in sorted(diagnostics, key=lambda each: (each["range"]["start"]["line"], each["code"]))
        if each["code"].startswith("AT")
    ]


def test_that_the_buffer_counts_and_not_the_disk(server: LanguageServer, workspace: Path) -> None:
    path = workspace / "orders" / "tests" / "test_orders.py"
    assert places(server.open(path, IN_THE_BUFFER)) == [("AT503", 4, 24), ("AT504", 5, 4)]
    assert path.read_text(encoding="utf-8") == ON_THE_DISK


def test_what_a_diagnostic_says(server: LanguageServer, workspace: Path) -> None:
    (found,) = (
        each
        for each in server.open(workspace / "orders" / "tests" / "test_orders.py", IN_THE_BUFFER)
        if each["code"] == "AT504"
    )
    line = IN_THE_BUFFER.splitlines(keepends=True)[5]
    assert found["source"] == "flake8"
    assert found["range"] == {"start": {"line": 5, "character": 4}, "end": {"line": 5, "character": len(line)}}
    assert found["message"].startswith("AT504 asyncio.create_task() starts something that nobody waits for")


def test_that_the_configuration_is_that_of_the_buffers_place(server: LanguageServer, workspace: Path) -> None:
    """Not that of the workspace, nor that of the folder which the server runs in."""
    mail = server.open(workspace / "mail" / "tests" / "test_mail.py", IN_THE_BUFFER)
    assert places(mail) == [("AT101", 3, 0), ("AT503", 4, 24), ("AT504", 5, 4)]
    (message,) = (each["message"] for each in mail if each["code"] == "AT101")
    assert "asyncio_mode is strict (mail/pytest.ini:2)" in message
    orders = server.open(workspace / "orders" / "tests" / "test_orders.py", IN_THE_BUFFER)
    assert places(orders) == [("AT503", 4, 24), ("AT504", 5, 4)]


def test_a_file_that_was_never_saved(server: LanguageServer, workspace: Path) -> None:
    path = workspace / "mail" / "tests" / "test_new.py"
    assert [code for code, _, _ in places(server.open(path, IN_THE_BUFFER))] == ["AT101", "AT503", "AT504"]


def test_that_findings_go_as_the_buffer_changes(server: LanguageServer, workspace: Path) -> None:
    path = workspace / "orders" / "tests" / "test_orders.py"
    assert places(server.open(path, IN_THE_BUFFER))
    assert places(server.change(path, IN_THE_BUFFER.replace("get_event_loop", "get_running_loop"))) == [("AT504", 5, 4)]
    silenced = IN_THE_BUFFER.replace("sleep(0))", "sleep(0))  # noqa: AT504")
    assert places(server.change(path, silenced)) == [("AT503", 4, 24)]
    assert places(server.change(path, ON_THE_DISK)) == []


def test_the_buffer_of_a_conftest(server: LanguageServer, workspace: Path) -> None:
    path = workspace / "orders" / "conftest.py"
    text = "import pytest\n\npytestmark = pytest.mark.asyncio\n"
    assert places(server.open(path, text)) == [("AT113", 2, 0)]
    assert not path.exists()
