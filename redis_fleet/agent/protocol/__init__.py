"""The protocol of Redis."""
