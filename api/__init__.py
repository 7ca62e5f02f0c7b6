"""The HTTP face of the knowledge base."""
