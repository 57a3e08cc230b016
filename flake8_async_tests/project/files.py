"""The file system as the rest of the package may see it: read once, bounded, and never an exception.

Everything that is not a readable regular file of a sane size is simply not there. What was read or looked
up is remembered for a while, so that a thousand files under one conftest tree cost one reading.
"""

from __future__ import annotations

import os
import stat
import tokenize
from collections import Counter
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 5 * 1024 * 1024
# On Windows files are text unless said otherwise.
_READING = os.O_RDONLY | getattr(os, "O_BINARY", 0)


class Files:
    """Reads files and folders, each at most once."""

    def __init__(self) -> None:
        self.reads: Counter[str] = Counter()
        """How often each path was asked of the operating system; a test holds this to one."""
        self._bytes: dict[str, bytes | None] = {}
        self._listings: dict[str, frozenset[str]] = {}
        self._folders: dict[str, tuple[str, ...]] = {}
        self.held = 0
        """How many bytes of content are remembered."""

    def afresh(self) -> Files:
        """The same files, with nothing remembered of them."""
        return Files()

    def names_in(self, directory: str) -> frozenset[str]:
        """The names of everything in a folder; empty when it cannot be listed."""
        known = self._listings.get(directory)
        if known is None:
            self.reads[directory] += 1
            try:
                known = frozenset(os.listdir(directory))
            except (OSError, ValueError):
                known = frozenset()
            self._listings[directory] = known
        return known

    def folders_in(self, directory: str) -> tuple[str, ...]:
        """The names of the folders in a folder, in order; links to folders are left out."""
        known = self._folders.get(directory)
        if known is None:
            self.reads[os.path.join(directory, "")] += 1
            try:
                with os.scandir(directory) as entries:
                    known = tuple(sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False)))
            except (OSError, ValueError):
                known = ()
            self._folders[directory] = known
        return known

    def has(self, path: str) -> bool:
        """Whether something of that name is there, at the price of one listing for the whole folder."""
        return self.holds(*os.path.split(path))

    def holds(self, directory: str, name: str) -> bool:
        """The same for who has the two apart."""
        names = self._listings.get(directory)
        return name in (self.names_in(directory) if names is None else names)

    def read(self, path: str) -> bytes | None:
        """The content of a regular file of at most 5 MB, else None. A pipe or device is never opened."""
        if path in self._bytes:
            return self._bytes[path]
        content: bytes | None = None
        if self.has(path):
            self.reads[path] += 1
            content = _read_regular_file(path)
            self.held += len(content or b"")
        self._bytes[path] = content
        return content

    def is_file(self, path: str) -> bool:
        """Whether a regular file is there, readable or not, for whom its presence is enough."""
        return self.has(path) and os.path.isfile(path)

    def text(self, path: str) -> str | None:
        """The text of a Python file by its own coding cookie, or None."""
        content = self.read(path)
        if content is None:
            return None
        try:
            encoding, _ = tokenize.detect_encoding(BytesIO(content).readline)
            return content.decode(encoding)
        except (SyntaxError, UnicodeDecodeError, LookupError):
            return None


def _read_regular_file(path: str) -> bytes | None:
    try:
        # Looked at before it is opened: opening a pipe would wait for ever.
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
            return None
        # Without the layers that `open` puts around it: as many files are read as a run has modules.
        descriptor = os.open(path, _READING)
        try:
            content = b"".join(_parts(descriptor, status.st_size + 1))
        finally:
            os.close(descriptor)
    except (OSError, ValueError):
        return None
    return content if len(content) <= MAX_BYTES else None


def _parts(descriptor: int, size: int) -> Iterator[bytes]:
    """What there is to read: mostly one part, but no system promises to hand all of it out at once."""
    left = MAX_BYTES + 1
    while left > 0 and (part := os.read(descriptor, min(size, left))):
        yield part
        left -= len(part)
