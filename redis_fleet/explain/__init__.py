"""What the catalogue and the rules know, in words for people."""
