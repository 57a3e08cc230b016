"""What becomes of a value, and of an error."""
