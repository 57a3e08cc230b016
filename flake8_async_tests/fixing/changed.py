"""The files of a project of which some have been changed, and not been written yet."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flake8_async_tests.project.files import Files

if TYPE_CHECKING:
    from collections.abc import Mapping


class ChangedFiles(Files):
    """Files of which some have another content than the one on the disk."""

    def __init__(self, changed: Mapping[str, bytes]) -> None:
        super().__init__()
        self._changed = {os.path.realpath(path): content for path, content in changed.items()}

    def afresh(self) -> ChangedFiles:
        return ChangedFiles(self._changed)

    def read(self, path: str) -> bytes | None:
        return self._changed[path] if path in self._changed else super().read(path)
