"""What is on a machine: looked at, never changed."""
