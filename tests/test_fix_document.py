"""Files as bytes: what is not fixed stays as it was, byte for byte."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from flake8_async_tests.fixing.document import document_of, read_document, write_atomically

ROOT = Path(__file__).parent.parent


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


def test_that_a_file_that_has_just_gone_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "isfile", lambda _: True)
    assert read_document(str(tmp_path / "gone.py")) is None


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


def test_that_a_named_pipe_is_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "test_pipe.py")
    assert read_document(str(tmp_path / "test_pipe.py")) is None


def test_that_a_read_only_file_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the folder would let another file take its place."""
    path = tmp_path / "test_one.py"
    path.write_bytes(b"x")
    path.chmod(0o444)
    # To whom everything is allowed nothing is read-only.
    monkeypatch.setattr(os, "access", lambda _, mode: mode != os.W_OK)
    with pytest.raises(PermissionError, match="Permission denied"):
        write_atomically(str(path), b"y")
    assert path.read_bytes() == b"x"
    assert os.listdir(tmp_path) == ["test_one.py"]


@pytest.mark.parametrize("is_allowed", [True, False])
def test_that_the_owner_is_kept_as_far_as_one_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_allowed: bool
) -> None:
    path = tmp_path / "test_one.py"
    path.write_bytes(b"x")
    real_stat, given = os.stat, []

    def stat_of_another_one(name: str) -> os.stat_result:
        found = list(real_stat(name))
        found[stat.ST_UID] += name == str(path)
        return os.stat_result(found)

    def chown(_: str, owner: int, group: int) -> None:
        given.append((owner, group))
        if not is_allowed:
            raise PermissionError

    monkeypatch.setattr(os, "stat", stat_of_another_one)
    monkeypatch.setattr(os, "chown", chown)
    write_atomically(str(path), b"y")
    monkeypatch.undo()
    assert given == [(path.stat().st_uid + 1, path.stat().st_gid)]
    assert path.read_bytes() == b"y"


# -- writes that fail half way ----------------------------------------------------------------------------------------

OLD = b"import pytest\n" * 1000
NEW = b"import pytest_asyncio\n" * 1000


def interrupted(path: Path, before: str) -> subprocess.CompletedProcess[str]:
    """Write a file in a process to which something happens before or while it does."""
    program = (
        "import os, signal, sys, tempfile\n"
        "from flake8_async_tests.fixing.document import write_atomically\n"
        f"{before}\n"
        f"write_atomically(sys.argv[1], {NEW!r})\n"
    )
    return subprocess.run([sys.executable, "-c", program, path], cwd=ROOT, capture_output=True, text=True, check=False)


def test_that_a_full_disk_leaves_the_file_whole(tmp_path: Path) -> None:
    """No file may become larger than this: to the writer that is what a full disk is, an error after a part."""
    path = tmp_path / "test_one.py"
    path.write_bytes(OLD)
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))"
    done = interrupted(path, limit)
    assert os.strerror(errno.EFBIG) in done.stderr
    assert path.read_bytes() == OLD
    assert os.listdir(tmp_path) == ["test_one.py"]


@pytest.mark.parametrize(
    "before",
    [
        "os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)",
        "os.chmod = lambda *_: os.kill(os.getpid(), signal.SIGKILL)",
        "os.fdopen = lambda descriptor, _: (os.write(descriptor, b'imp'), os.kill(os.getpid(), signal.SIGKILL))",
    ],
    ids=["before it takes its place", "after it was written", "while it is written"],
)
def test_that_a_killed_process_leaves_the_file_whole(tmp_path: Path, before: str) -> None:
    path = tmp_path / "test_one.py"
    path.write_bytes(OLD)
    done = interrupted(path, before)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == OLD
    # What the dead process leaves behind is nothing that flake8 or pytest would take for Python, nor in the way.
    left = [name for name in os.listdir(tmp_path) if name != "test_one.py"]
    assert len(left) == 1
    assert left[0].startswith(".")
    assert not left[0].endswith(".py")
    write_atomically(str(path), NEW)
    assert path.read_bytes() == NEW


def test_that_an_interruption_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "test_one.py"
    path.write_bytes(OLD)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "chmod", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(str(path), NEW)
    assert path.read_bytes() == OLD
    assert os.listdir(tmp_path) == ["test_one.py"]
