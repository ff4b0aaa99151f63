"""Code that also runs on the machines: standard library only, Python 3.9 or newer, no secret in any return value."""
