"""Images that a deploy makes: built from the cache, pushed to ECR, pulled by AWS."""
