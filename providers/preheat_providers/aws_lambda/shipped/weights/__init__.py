"""Weights from S3 when a function starts. Ships; on the standard library alone, as boto3 imports slowly."""
