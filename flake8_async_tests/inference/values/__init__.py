"""What a name, a path or an attribute holds at a place."""
