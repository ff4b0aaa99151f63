"""The users of the blog."""
