"""From configuration files that somebody wrote by hand to a description that says the same."""
