"""icodeeasy: what its documents say."""
