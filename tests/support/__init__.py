"""Helpers of the tests: receivers of callbacks, and one assertion of each provider's error shape."""
