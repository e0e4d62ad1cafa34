"""Things that go wrong on request."""
