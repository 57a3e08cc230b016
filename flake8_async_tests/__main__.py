"""`python -m flake8_async_tests`."""

from __future__ import annotations

import sys

from flake8_async_tests.command import main

sys.exit(main())
