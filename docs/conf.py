"""How the site is built: `tox -e docs`."""

import sys
from pathlib import Path

from flake8_async_tests import __version__

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "flake8-async-tests"
author = "The flake8-async-tests developers"
copyright = "the flake8-async-tests developers"  # noqa: A001  # the name that Sphinx asks for
release = version = __version__

extensions = ["myst_parser", "rule_pages"]
exclude_patterns = ["_build"]
nitpicky = True

# A rule's page has no contents of its own worth a label, but the sections of the other pages are linked to.
myst_heading_anchors = 3

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_title = f"flake8-async-tests {version}"
html_show_sourcelink = False
html_copy_source = False
