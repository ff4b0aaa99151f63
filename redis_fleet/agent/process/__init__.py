"""Processes: started, stopped, restarted, changed while they run."""
