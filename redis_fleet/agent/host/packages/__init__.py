"""Packages: a module for each provider, one interface, and what is done with whichever is here."""
