"""A flake8 plugin that finds the pitfalls of asynchronous tests."""

from __future__ import annotations

__version__ = "0.1.0"

from flake8_async_tests.checker import Checker

__all__ = ["Checker", "__version__"]
