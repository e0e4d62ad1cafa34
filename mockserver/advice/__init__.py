"""Advice: what a client does that would hurt in production, as seen from the server. One rule a file."""
