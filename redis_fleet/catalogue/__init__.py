"""The directives of every supported engine and version, and what their values mean."""
