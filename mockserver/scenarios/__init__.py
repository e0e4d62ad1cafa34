"""Scenarios: TOML files of faults, accounts, routes, sinks, latencies and prices that hold again after each reset."""
