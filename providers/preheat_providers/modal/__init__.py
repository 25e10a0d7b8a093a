"""Modal: the handler as one class of an app, with a web endpoint, jobs by spawn, and memory snapshots."""
