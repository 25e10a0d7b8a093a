"""How a function is deployed: archives, then stack or code alone, then what nobody needs any more."""
