"""Get source distributions without running anything of them.

`pip download` would build their metadata, which is their own code. So pip is only asked where it gets its
packages from; the archive is then looked up in that index, held to its pinned hash and unpacked.
"""

from __future__ import annotations

import hashlib
import json
import ssl
import tarfile
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

if TYPE_CHECKING:
    from pathlib import Path

    from tests.ecosystem.pins import Pin

JSON_OF_THE_INDEX = "application/vnd.pypi.simple.v1+json"
PATIENCE = 120.0


class UnavailableError(Exception):
    """A source distribution cannot be had, or is not what was pinned."""


@dataclass(frozen=True, slots=True)
class Index:
    """A package index, and the certificates to trust it by (None: those of the system)."""

    url: str
    certificates: str | None = None


def pips_index() -> Index:
    """The index that pip takes packages from, here and with this configuration."""
    from pip._internal.commands import create_command

    options, _ = create_command("download").parse_args([])
    return Index(options.index_url, options.cert)


def archive_of(pin: Pin, cache: Path, index: Index) -> Path:
    """The source distribution in the cache, downloaded when it is not there."""
    path = cache / pin.archive
    if path.exists() and _digest(path.read_bytes()) == pin.sha256:
        return path
    content = _download(pin, index)
    if _digest(content) != pin.sha256:
        raise UnavailableError(f"{pin.name} {pin.version}: what was downloaded is not what was pinned")
    cache.mkdir(parents=True, exist_ok=True)
    # Never half a file under the name that the next run trusts.
    partial = path.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(path)
    return path


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack the archive into a folder of its own, and return the one directory that is in there."""
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    (root,) = folder.iterdir()
    return root


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _download(pin: Pin, index: Index) -> bytes:
    page = f"{index.url.rstrip('/')}/{pin.name}/"
    listing: dict[str, Any] = json.loads(_read(page, index, accept=JSON_OF_THE_INDEX))
    for file in listing["files"]:
        if file.get("hashes", {}).get("sha256") == pin.sha256:
            return _read(urljoin(page, file["url"]), index)
    raise UnavailableError(f"{pin.name} {pin.version}: no file of the index has the pinned hash")


def _read(url: str, index: Index, accept: str = "*/*") -> bytes:
    request = urllib.request.Request(url, headers={"Accept": accept})
    context = ssl.create_default_context(cafile=index.certificates) if url.startswith("https:") else None
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE, context=context) as response:
            content: bytes = response.read()
    except OSError as error:
        raise UnavailableError(f"{url}: {error}") from error
    return content
