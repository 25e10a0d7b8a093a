"""Layers to one zip file: the same bytes on every machine, compressed side by side, kept by content."""
