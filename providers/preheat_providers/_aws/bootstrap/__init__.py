"""What is set up once for an account and region: where archives lie, and who may deploy what."""
