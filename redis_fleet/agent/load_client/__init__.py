"""A client that writes under measurement."""
