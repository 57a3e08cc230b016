"""What one file says: its names, functions, classes, tests, fixtures, marks and calls."""
