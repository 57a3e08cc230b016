"""A Python file as bytes and as text: what is written back differs from what was read by the fixes alone."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
import tokenize
from io import BytesIO

from flake8_async_tests.record import record


@record
class Document:
    """A file's content. The text has its line ends as they are in the file, and no byte order mark."""

    content: bytes
    text: str
    encoding: str
    """By the byte order mark or the coding cookie: `utf-8-sig` when there is a mark."""

    def with_text(self, text: str) -> bytes:
        """The content of the file with another text."""
        return text.encode(self.encoding)


def read_document(path: str) -> Document | None:
    """A file's document; None when it cannot be read in its encoding, or is no regular file."""
    try:
        if not os.path.isfile(path):
            # A named pipe would keep whoever opens it waiting.
            return None
        with open(path, "rb") as stream:
            content = stream.read()
        return document_of(content)
    except OSError:
        return None


def document_of(content: bytes) -> Document | None:
    try:
        encoding, _ = tokenize.detect_encoding(BytesIO(content).readline)
        document = Document(content, content.decode(encoding), encoding)
        # Some encodings do not give back what they were given, byte for byte.
        return document if document.with_text(document.text) == content else None
    except (SyntaxError, UnicodeError, LookupError):
        return None


def write_atomically(path: str, content: bytes) -> None:
    """Replace a file's content in one step, its permissions kept: whoever reads it sees the old or the new one."""
    # A link stays a link: what it points to is replaced.
    path = os.path.realpath(path)
    if not os.access(path, os.W_OK):
        # The folder alone would have to be writable for a new file to take its place.
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    status = os.stat(path)
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".flake8-async-tests-")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        _keep_owner(temporary, status)
        os.chmod(temporary, stat.S_IMODE(status.st_mode))
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _keep_owner(temporary: str, status: os.stat_result) -> None:
    """Give a new file the owner and group of the one that it replaces, as far as one may."""
    own = os.stat(temporary)
    if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
        with contextlib.suppress(OSError):
            os.chown(temporary, status.st_uid, status.st_gid)
