"""AWS Lambda: the bundle as a zip, behind HTTPS and events, warm when it matters."""
