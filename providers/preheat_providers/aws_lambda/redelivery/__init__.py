"""Deliveries once more: what failed for good goes back to where it came from, what exists is told again.

A message is sent before the old one is removed, so that none is lost; killed in between, it comes twice.
"""
