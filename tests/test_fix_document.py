"""Files as bytes: what is not fixed stays as it was, byte for byte."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from flake8_async_tests.fixing.document import document_of, read_document, write_atomically

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"x = 1\r\n", "x = 1\r\n"),
        (b"\xef\xbb\xbfx = 1\n", "x = 1\n"),
        (b"# coding: latin-1\nx = '\xe4'", "# coding: latin-1\nx = 'ä'"),
        ("x = 'ä'\n".encode(), "x = 'ä'\n"),
    ],
)
def test_encodings(content: bytes, text: str) -> None:
    document = document_of(content)
    assert document is not None
    assert document.text == text
    assert document.with_text(text) == content


@pytest.mark.parametrize("content", [b"x = '\xe4'\n", b"# coding: nonsense\n", b"# coding: utf-7\n# +-\n+AGE-"])
def test_what_cannot_be_read_and_written_alike(content: bytes) -> None:
    assert document_of(content) is None


def test_that_a_missing_file_is_none(tmp_path: Path) -> None:
    assert read_document(str(tmp_path / "missing.py")) is None


def test_that_permissions_and_links_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "test_one.py"
    path.write_bytes(b"x")
    path.chmod(0o751)
    link = tmp_path / "test_link.py"
    link.symlink_to(path)
    write_atomically(str(link), b"y")
    assert link.is_symlink()
    assert path.read_bytes() == b"y"
    assert stat.S_IMODE(path.stat().st_mode) == 0o751
    assert sorted(os.listdir(tmp_path)) == ["test_link.py", "test_one.py"]


def test_that_a_failure_leaves_the_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "test_one.py"
    path.write_bytes(b"x")

    def fail(*_: object) -> None:
        raise OSError("no")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no"):
        write_atomically(str(path), b"y")
    assert path.read_bytes() == b"x"
    assert os.listdir(tmp_path) == ["test_one.py"]
