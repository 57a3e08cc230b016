"""How fixes get into files: edits applied, imports fitted in and orphaned ones removed, all else kept as it was."""
