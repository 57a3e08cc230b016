"""The packages that are developed together: uv installs all members of a workspace side by side."""

from __future__ import annotations

import os
from fnmatch import fnmatch
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flake8_async_tests.project.candidates import Section
    from flake8_async_tests.project.config import Configs
    from flake8_async_tests.project.files import Files

_TABLE = "tool.uv.workspace"
# So many members are looked at, as their pyproject.toml names them.
_MOST_MEMBERS = 200


def workspace_around(files: Files, configs: Configs, folders: Iterable[str]) -> tuple[str, ...]:
    """The folder of the workspace that one of these folders is the root of, the first of them, and its members."""
    for folder in folders:
        raw = configs.raw(os.path.join(folder, "pyproject.toml"))
        table = raw.sections.get(_TABLE) if raw is not None else None
        if table is not None:
            excluded = _named(table, "exclude")
            members = dict.fromkeys(
                path
                for glob in _named(table, "members")
                for path in _folders_of(files, folder, glob.split("/"))
                if files.has(os.path.join(path, "pyproject.toml"))
                and not any(fnmatch(path, os.path.join(folder, os.path.normpath(each))) for each in excluded)
            )
            return (folder, *list(members)[:_MOST_MEMBERS])
    return ()


def _named(table: Section, name: str) -> tuple[str, ...]:
    return table.options[name].values if name in table.options else ()


def _folders_of(files: Files, folder: str, parts: list[str]) -> list[str]:
    """The folders that a glob with `/` between its parts names, from one folder on."""
    found = [folder]
    for part in parts:
        if part not in ("", os.curdir):
            found = [os.path.join(at, name) for at in found for name in files.folders_in(at) if fnmatch(name, part)]
    return found
