"""Processes that tests start."""

import signal


def heed_signals() -> None:
    """Let a new process heed SIGINT and SIGHUP, which a test run in the background or under nohup has it ignore."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
