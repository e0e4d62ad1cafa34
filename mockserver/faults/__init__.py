"""Faults: failures of calls, tasks, callbacks and pictures that a test asks for."""
