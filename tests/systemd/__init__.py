"""Units on machines with systemd."""
