"""What a platform must offer, and how one is found."""
