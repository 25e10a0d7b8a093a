"""Uploads to S3: AWS tells a small web function of each, which has the model's class run on it."""
