"""Certificates on the controller: made by an authority of one's own, read, and judged. No host is contacted."""
