"""What the project around a file says: pytest's configuration, the conftest chain, imported modules."""
