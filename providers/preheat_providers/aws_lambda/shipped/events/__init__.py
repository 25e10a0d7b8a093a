"""What runs a function besides requests: uploads, messages, schedules, jobs. Ships.

Importing these modules imports aws-lambda-powertools and boto3, so a function without triggers never does;
and one with triggers imports the modules of their kinds alone.
"""
