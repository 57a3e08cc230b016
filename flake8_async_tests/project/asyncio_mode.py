"""pytest-asyncio's mode."""

from __future__ import annotations

from enum import Enum

from flake8_async_tests.record import record


class Mode(Enum):
    """pytest-asyncio's modes, and that it cannot be told."""

    AUTO = "auto"
    STRICT = "strict"
    UNKNOWN = "unknown"


@record
class AsyncioMode:
    """The mode, and the file and line (or the lack of one) that decided it."""

    mode: Mode
    decided_by: str

    @property
    def is_auto(self) -> bool:
        return self.mode is Mode.AUTO

    @property
    def is_strict(self) -> bool:
        return self.mode is Mode.STRICT
