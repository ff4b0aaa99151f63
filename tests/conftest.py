"""What holds for all tests."""

from __future__ import annotations

import signal

# The background jobs of a script ignore Ctrl-C, and so would all that the tests start: pressing it would prove nothing.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
