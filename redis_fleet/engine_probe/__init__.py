"""Real binaries asked what they know, to keep the catalogue true: a tool for maintainers."""
