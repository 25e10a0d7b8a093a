"""Weights to blobs in the cache by their SHA-256, one small module for each kind of source."""
