"""What AWS charges, as dated data with its sources (prices.json), and the one reader of it."""
