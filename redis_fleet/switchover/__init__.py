"""A planned change of master that loses nothing: may it be, who takes over, how it is done and reported."""
