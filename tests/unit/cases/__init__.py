"""Cases as data, and what turns them into values."""
