"""The source distributions that are linted, as `packages.txt` pins them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PACKAGES = Path(__file__).parent / "packages.txt"

LINE = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[0-9.]+) --hash=sha256:(?P<sha256>[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Pin:
    """One release of a package, down to the bytes of its source distribution."""

    name: str
    version: str
    sha256: str

    @property
    def archive(self) -> str:
        """The name of the file in the cache, which is another one for other bytes."""
        return f"{self.name}-{self.version}-{self.sha256[:12]}.tar.gz"


def read_pins(text: str) -> list[Pin]:
    """One pin a line, as pip writes requirements with hashes; `#` begins a comment."""
    pins = []
    for number, line in enumerate(text.splitlines(), 1):
        content = line.partition("#")[0].strip()
        if not content:
            continue
        match = LINE.fullmatch(content)
        if match is None:
            raise ValueError(f"line {number} is no name==version --hash=sha256:...: {line}")
        pins.append(Pin(**match.groupdict()))
    return pins


def pinned() -> list[Pin]:
    return read_pins(PACKAGES.read_text(encoding="utf-8"))
