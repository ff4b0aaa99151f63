"""The commands: a module each, found by its name (cli/main.py); those for operations are in their procedures."""
