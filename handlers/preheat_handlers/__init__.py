"""Ready-made handlers, one file each; only the one in use ships."""
