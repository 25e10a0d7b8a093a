"""How an app is deployed: weights and secrets, the record, then the app itself by Modal's own client."""
