"""What runs beside the model, on every platform: loads the handler, answers, batches, drains."""
