"""Requests over HTTP, as Function URLs, API Gateway and load balancers hand them to a function. Ships."""
