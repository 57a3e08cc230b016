"""The parts of the ecosystem check that need no network, and what is committed of it."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from collections import Counter
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ecosystem import __main__ as command
from tests.ecosystem import record
from tests.ecosystem.pins import Pin, pinned, read_pins
from tests.ecosystem.record import FINDINGS, Found, Judged, all_recorded, difference, read_record, write_record
from tests.ecosystem.sources import Index, UnavailableError, archive_of, unpack
from tests.ecosystem.table import precision_table

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parent.parent / "docs"

HERE = Found("tests/test_a.py", 7, 5, "AT601")
THERE = Found("tests/test_a.py", 12, 1, "AT602")

A_TEST = b"""\
import time
import pytest

@pytest.mark.asyncio
async def test_a():
    time.sleep(1)
"""


# What is committed.


def test_at_least_25_packages_are_pinned_each_once() -> None:
    names = Counter(pin.name for pin in pinned())
    assert len(names) >= 25
    assert set(names.values()) == {1}


def test_every_record_is_of_a_pinned_package_and_as_it_would_be_written() -> None:
    names = {pin.name for pin in pinned()}
    for path in FINDINGS.iterdir():
        text = path.read_text(encoding="utf-8")
        assert path.stem in names
        assert path.suffix == ".txt"
        assert write_record(read_record(text)) == text


def test_every_finding_was_reviewed_and_few_are_false_alarms() -> None:
    judged = [each for package in all_recorded(pin.name for pin in pinned()).values() for each in package]
    assert [str(each) for each in judged if each.verdict == "unreviewed"] == []
    found = Counter(each.found.code for each in judged)
    false = Counter(each.found.code for each in judged if each.verdict == "false")
    assert false.total() <= 0.01 * found.total()
    assert [code for code in false if false[code] > 0.05 * found[code]] == []


def test_the_docs_show_the_precision_of_the_record() -> None:
    judged = all_recorded(pin.name for pin in pinned())
    table = precision_table(each for package in judged.values() for each in package)
    assert f"\n\n{table}\n\n" in (DOCS / "precision.md").read_text(encoding="utf-8")


# Pins.


def test_pins_are_requirements_with_hashes() -> None:
    text = f"# a comment\n\nanyio==4.16.0 --hash=sha256:{'ab' * 32}\n"
    assert read_pins(text) == [Pin("anyio", "4.16.0", "ab" * 32)]


@pytest.mark.parametrize("line", ["anyio==4.16.0", "anyio>=4 --hash=sha256:00", f"a b==1 --hash=sha256:{'ab' * 32}"])
def test_a_pin_without_all_its_parts_is_an_error(line: str) -> None:
    with pytest.raises(ValueError, match="line 1 "):
        read_pins(line)


# The record.


def test_a_record_is_read_as_it_was_written() -> None:
    judged = [Judged(HERE, "false", "a # b"), Judged(THERE, "right"), Judged(Found("a b.py", 1, 1, "AT101"), "right")]
    text = write_record(judged)
    assert text == (
        "AT101 right a b.py:1:1\nAT601 false tests/test_a.py:7:5 # a # b\nAT602 right tests/test_a.py:12:1\n"
    )
    assert read_record(text) == sorted(judged, key=lambda each: each.found)


@pytest.mark.parametrize(
    "line",
    ["AT601 right tests/test_a.py:7", "AT601 maybe a.py:7:5", "AT601 a.py:7:5", "AT601 false a.py:7:5", ""],
)
def test_a_line_without_place_verdict_or_reason_is_an_error(line: str) -> None:
    with pytest.raises(ValueError, match="line 2 "):
        read_record(f"AT601 right a.py:1:1\n{line}\n")


def test_the_difference_shows_what_is_new_gone_and_not_reviewed() -> None:
    moved = Found("tests/test_a.py", 8, 5, "AT601")
    before = [Judged(HERE, "right"), Judged(THERE, "unreviewed")]
    assert difference(before, {THERE: "a sleep", moved: "a block"}) == [
        "- AT601 right tests/test_a.py:7:5",
        "+ AT601 tests/test_a.py:8:5 a block",
        "? AT602 tests/test_a.py:12:1 a sleep",
    ]
    assert difference([Judged(HERE, "false", "why")], {HERE: "a block"}) == []


def test_recording_keeps_verdicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "FINDINGS", tmp_path)
    record.record("a", [HERE])
    assert record.recorded("a") == [Judged(HERE, "unreviewed")]
    (tmp_path / "a.txt").write_text(write_record([Judged(HERE, "false", "why")]))
    record.record("a", [THERE, HERE])
    assert record.recorded("a") == [Judged(HERE, "false", "why"), Judged(THERE, "unreviewed")]
    record.record("a", [])
    assert record.recorded("a") == []
    assert list(tmp_path.iterdir()) == []


# The table.


def test_the_table_counts_what_is_not_right_as_false() -> None:
    judged = [Judged(HERE, "right"), Judged(HERE, "right"), Judged(HERE, "unreviewed"), Judged(THERE, "false", "why")]
    assert precision_table(judged).splitlines()[2:] == [
        "| AT601 | 3 | 2 | 1 | 66.7 % |",
        "| AT602 | 1 | 0 | 1 | 0.0 % |",
        "| all | 4 | 2 | 2 | 50.0 % |",
    ]
    assert precision_table([]).splitlines()[2:] == ["| all | 0 | 0 | 0 | - |"]


# Downloads, from an index on this machine.


def archive_with(**members: bytes) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, text in members.items():
            member = tarfile.TarInfo(f"a-1/{name}.py")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    return content.getvalue()


def pin_of(content: bytes) -> Pin:
    return Pin("a", "1", hashlib.sha256(content).hexdigest())


class Handler(BaseHTTPRequestHandler):
    """An index of the one package that it is made with."""

    def __init__(self, answers: dict[str, bytes], *arguments: object) -> None:
        self.answers = answers
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        content = self.answers.get(self.path)
        self.send_response(404 if content is None else 200)
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_: object) -> None:
        """Keep the output of the tests clean."""


@pytest.fixture
def answers() -> dict[str, bytes]:
    """What the index says, by path; each file's hash is what the index says, not what it holds."""
    content = archive_with(test_a=A_TEST)
    files = [
        {"url": "../../files/other.tar.gz", "hashes": {"sha256": "00" * 32}},
        {"url": "../../files/a.tar.gz", "hashes": {"sha256": pin_of(content).sha256}},
    ]
    return {"/simple/a/": json.dumps({"files": files}).encode(), "/files/a.tar.gz": content}


@pytest.fixture
def index(answers: dict[str, bytes]) -> Iterator[Index]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, answers)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Index(f"http://127.0.0.1:{server.server_port}/simple/")
        server.shutdown()
        thread.join()


def test_an_archive_is_downloaded_once(answers: dict[str, bytes], index: Index, tmp_path: Path) -> None:
    content = answers["/files/a.tar.gz"]
    pin = pin_of(content)
    path = archive_of(pin, tmp_path / "cache", index)
    assert path.read_bytes() == content
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    answers.clear()
    assert archive_of(pin, tmp_path / "cache", index) == path
    assert (unpack(path, tmp_path / "unpacked") / "test_a.py").read_bytes() == A_TEST


def test_a_spoilt_archive_in_the_cache_is_downloaded_again(
    answers: dict[str, bytes], index: Index, tmp_path: Path
) -> None:
    pin = pin_of(answers["/files/a.tar.gz"])
    (tmp_path / pin.archive).write_bytes(b"half of i")
    assert archive_of(pin, tmp_path, index).read_bytes() == answers["/files/a.tar.gz"]


def test_other_bytes_than_those_pinned_are_refused(answers: dict[str, bytes], index: Index, tmp_path: Path) -> None:
    pin = pin_of(answers["/files/a.tar.gz"])
    answers["/files/a.tar.gz"] = archive_with(test_a=b"import os")
    with pytest.raises(UnavailableError, match="not what was pinned"):
        archive_of(pin, tmp_path, index)
    assert list(tmp_path.iterdir()) == []


def test_a_release_that_the_index_does_not_have_is_unavailable(index: Index, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="no file of the index"):
        archive_of(pin_of(b"another"), tmp_path, index)
    with pytest.raises(UnavailableError, match="404"):
        archive_of(Pin("b", "1", "00" * 32), tmp_path, index)


def test_an_archive_cannot_write_outside_of_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(archive_with(**{"../../../escaped": b"1"}))
    with pytest.raises(tarfile.OutsideDestinationError):
        unpack(path, tmp_path / "a" / "b")
    assert not list(tmp_path.rglob("escaped.py"))


# The command.


@pytest.fixture
def one_package(answers: dict[str, bytes], index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The arguments for a run of the command in which one small package is pinned, and nothing is recorded."""
    monkeypatch.setattr(record, "FINDINGS", tmp_path)
    monkeypatch.setattr(command, "pinned", lambda: [pin_of(answers["/files/a.tar.gz"])])
    monkeypatch.setattr(command, "pips_index", lambda: index)
    return ["--cache", str(tmp_path / "cache")]


def test_the_command_compares_real_flake8_with_the_record(
    one_package: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(one_package) == 1
    assert "\n  + AT601 test_a.py:6:5 time.sleep() in async test_a " in capsys.readouterr().out
    assert command.main([*one_package, "--record"]) == 0
    assert command.main([*one_package, "a"]) == 1
    assert "\n  ? AT601 test_a.py:6:5 time.sleep() in async test_a " in capsys.readouterr().out
    (tmp_path / "a.txt").write_text("AT601 right test_a.py:6:5\n")
    capsys.readouterr()
    assert command.main(one_package) == 0
    assert capsys.readouterr().out == "a 1: 1 findings\nAll as reviewed\n"
    assert command.main(["--table"]) == 0
    assert "| AT601 | 1 | 1 | 0 | 100.0 % |" in capsys.readouterr().out


def test_the_command_knows_which_packages_are_pinned(
    one_package: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        command.main([*one_package, "b"])
    assert "not pinned: b" in capsys.readouterr().err
