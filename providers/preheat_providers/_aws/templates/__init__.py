"""What the templates of every provider on AWS are made of. Pure: data in, data out."""
