"""`/jobs` on Lambda: records in DynamoDB, bodies and answers in S3, attempts by asynchronous calls. Ships.

A job is written down, then the function calls itself: Lambda queues that call, and repeats it twice when it
fails (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html, read on 2026-11-21).
Lambda may lose a call, or make it twice. What counts is the record: an attempt holds it for a time, only
the attempt that holds it may finish it, and whoever reads a record that nobody will finish any more ends it.
"""
