"""A client for a language server: JSON-RPC over its standard input and output, as an editor speaks it."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

PATIENCE = 60.0
"""Seconds to wait for an answer; the server may have two dozen other tests beside it."""


class LanguageServer:
    """A running server and the workspace that it was told of."""

    def __init__(self, command: Sequence[str], workspace: Path, directory: Path) -> None:
        """Start it in a directory, which need not be the workspace."""
        self._process = subprocess.Popen(
            command, cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._workspace = workspace
        self._received: queue.Queue[dict[str, Any]] = queue.Queue()
        self._versions: dict[str, int] = {}
        self._requests = 0
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> LanguageServer:
        self._reader.start()
        self._request("initialize", {"processId": None, "rootUri": self._workspace.as_uri(), "capabilities": {}})
        self._notify("initialized", {})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._request("shutdown", None)
            self._notify("exit", None)
        else:
            self._process.kill()
        self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def configure(self, settings: Mapping[str, object]) -> None:
        self._notify("workspace/didChangeConfiguration", {"settings": settings})

    def open(self, path: Path, text: str) -> list[dict[str, Any]]:
        """Open a buffer, saved or not; give back what the server says about it."""
        self._versions[path.as_uri()] = 1
        document = {"uri": path.as_uri(), "languageId": "python", "version": 1, "text": text}
        self._notify("textDocument/didOpen", {"textDocument": document})
        return self._diagnostics(path)

    def change(self, path: Path, text: str) -> list[dict[str, Any]]:
        """Put another text into a buffer, and save nothing."""
        self._versions[path.as_uri()] += 1
        document = {"uri": path.as_uri(), "version": self._versions[path.as_uri()]}
        self._notify("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})
        return self._diagnostics(path)

    # -- the protocol ----------------------------------------------------------------------------------------------

    def _diagnostics(self, path: Path) -> list[dict[str, Any]]:
        while True:
            message = self._next()
            if message.get("method") == "textDocument/publishDiagnostics":
                parameters = message["params"]
                if parameters["uri"] == path.as_uri():
                    found: list[dict[str, Any]] = parameters["diagnostics"]
                    return found

    def _request(self, method: str, parameters: object) -> None:
        self._requests += 1
        self._send({"id": self._requests, "method": method, "params": parameters})
        while True:
            message = self._next()
            if message.get("id") == self._requests and "method" not in message:
                assert "error" not in message, message
                return

    def _notify(self, method: str, parameters: object) -> None:
        self._send({"method": method, "params": parameters})

    def _send(self, message: Mapping[str, object]) -> None:
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(content), content))
        self._process.stdin.flush()

    def _next(self) -> dict[str, Any]:
        try:
            return self._received.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError(f"the language server said nothing for {PATIENCE:.0f} seconds") from None

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        while (length := _content_length(stream)) is not None:
            self._received.put(json.loads(stream.read(length)))


def _content_length(stream: IO[bytes]) -> int | None:
    """What the headers of the next message say; None at the end of all messages."""
    length = None
    for line in iter(stream.readline, b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
        elif line == b"\r\n":
            return length
    return None
