"""Uploads on the side of the container: an event from the bucket to an answer beside it. Ships."""
