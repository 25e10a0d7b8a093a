"""How an endpoint is deployed: image, what lies in the bucket, stack, traffic, records."""
