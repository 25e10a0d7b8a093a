"""The platforms that Preheat deploys to, one folder each."""
