"""The small Lambda functions before an endpoint: HTTPS to jobs or requests, and uploads to jobs.

They ship in an archive of their own (`archive`) and use the SDK that is in Lambda's Python:
so the modules here import each other, the standard library, boto3, and of the runtime what knows of objects.

    exchange    a Function URL's event to a request, an answer back, problems, the token
    failures    what SageMaker leaves of a request that failed, as a problem document
    documents   the record of a job, and the document that callers get of it
    client      the clients of AWS
    storage     objects of S3, and the call of the asynchronous endpoint
    jobs        POST /jobs and its kin
    requests    POST /invocations before a real-time or serverless endpoint
    triggers    which uploads a trigger wants, and what EventBridge says of one
    uploads     an uploaded object to a job, and its result to where the trigger wants it
    contract    the handler's contract document, for GET /schema
"""
