"""Configuration and append-only files as texts: read, edited, checked."""
