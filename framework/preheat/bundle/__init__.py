"""Project to bytes with a digest: locked wheels, weights and code in content-addressed layers."""
