"""Objects that appear in buckets: what their events say, and how their results are named and written."""

TEST_EVENT = "s3:TestEvent"
"""What S3 sends to a queue once, when the notification is set up."""
