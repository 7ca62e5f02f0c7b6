"""Files in, indexed passages out."""
