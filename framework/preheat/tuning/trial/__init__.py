"""Scripts that child processes run with other packages than ours. Nothing here ships or is imported by us."""
