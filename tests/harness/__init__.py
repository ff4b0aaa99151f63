"""What runs the tests, and what they run on."""
