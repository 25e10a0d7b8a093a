"""What the providers on AWS share: sessions, errors, stacks, prices."""
