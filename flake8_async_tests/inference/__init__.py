"""What a name holds at a place in a function."""
