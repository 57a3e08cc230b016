"""Lint the pinned packages and compare what is found with what was reviewed.

    python -m tests.ecosystem [--record] [--cache FOLDER] [PACKAGE ...]
    python -m tests.ecosystem --table

The first exits with 1 and shows a diff when a finding is new, gone or not reviewed. With --record it writes the
findings of now into tests/ecosystem/findings/, new ones as `unreviewed`: read each, and write `right` or `false` for
it. The second prints precision by rule, from what is written there.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.ecosystem.pins import pinned
from tests.ecosystem.record import Found, all_recorded, difference, record, recorded
from tests.ecosystem.sources import archive_of, pips_index, unpack
from tests.ecosystem.table import precision_table

if TYPE_CHECKING:
    from collections.abc import Sequence

CACHE = Path(__file__).parent.parent.parent / ".tox" / ".ecosystem"

REPORT = re.compile(r"(?P<path>.+?):(?P<line>\d+):(?P<column>\d+): (?P<code>AT\d{3}) (?P<message>.+)")


def lint(root: Path) -> dict[Found, str]:
    """What real flake8 reports below the folder, and each message."""
    command = [sys.executable, "-m", "flake8", "--isolated", "--select", "AT", "."]
    # Other people's code is full of invalid escapes, of which the compiler warns.
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    ran = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, encoding="utf-8")
    if ran.returncode not in (0, 1) or ran.stderr:
        raise RuntimeError(f"flake8 failed in {root.name}:\n{ran.stdout}{ran.stderr}")
    found = {}
    for line in ran.stdout.splitlines():
        match = REPORT.fullmatch(line)
        if match is None:
            raise RuntimeError(f"flake8 said in {root.name}:\n{ran.stdout}")
        path = Path(match["path"]).as_posix()
        found[Found(path, int(match["line"]), int(match["column"]), match["code"])] = match["message"]
    return found


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.ecosystem", description="Lint the pinned packages.")
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", help="only these (default: all that are pinned)")
    parser.add_argument("--record", action="store_true", help="write the findings of now down")
    parser.add_argument("--table", action="store_true", help="print precision by rule, and lint nothing")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where the archives are kept (default: %(default)s)")
    options = parser.parse_args(arguments)
    pins = pinned()
    if unknown := set(options.packages) - {pin.name for pin in pins}:
        parser.error(f"not pinned: {', '.join(sorted(unknown))}")
    if options.table:
        judged = all_recorded(pin.name for pin in pins)
        print(precision_table(each for package in judged.values() for each in package))
        return 0
    index = pips_index()
    differing = 0
    for pin in pins:
        if options.packages and pin.name not in options.packages:
            continue
        archive = archive_of(pin, options.cache, index)
        # Outside of this project, whose own configuration of pytest would count for a package that has none.
        with tempfile.TemporaryDirectory() as folder:
            now = lint(unpack(archive, Path(folder)))
        changes = difference(recorded(pin.name), now)
        print(f"{pin.name} {pin.version}: {len(now)} findings{', of which differ:' if changes else ''}")
        for change in changes:
            print(f"  {change}")
        sys.stdout.flush()
        differing += len(changes)
        if options.record:
            record(pin.name, now)
    print(f"{differing} findings are new (+), gone (-) or not reviewed (?)" if differing else "All as reviewed")
    return 1 if differing and not options.record else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
