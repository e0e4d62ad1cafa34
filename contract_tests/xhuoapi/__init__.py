"""xhuoapi: what its documents say."""
