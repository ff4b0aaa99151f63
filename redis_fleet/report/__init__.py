"""The report as one HTML page that needs nothing else: for people, in a browser or on paper."""

from redis_fleet.report.content import Page, of_drills, of_failover, of_verification
from redis_fleet.report.writing import rendered, write

__all__ = ["Page", "of_drills", "of_failover", "of_verification", "rendered", "write"]
