"""Descriptions that nobody would write, thousands of them, held against ``check`` and against the real binaries."""
