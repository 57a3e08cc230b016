"""The plugin in the places where people lint: beside the real tools, each with its own packages.

They are collected only when they are named (``pytest tests/integrations``), in the environment that has
these tools: ``tox -e integrations``.
"""
