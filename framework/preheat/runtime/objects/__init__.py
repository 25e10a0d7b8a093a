"""Objects that appear in buckets: what their events say, and how their results are named and written."""
