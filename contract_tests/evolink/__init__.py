"""evolink: what its documents say."""
