"""The plugin on the test suites of published packages, held to findings that somebody has read.

`packages.txt` pins source distributions, `findings/` holds what the default rules find in each, with a verdict.
"""
