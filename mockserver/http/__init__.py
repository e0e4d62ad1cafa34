"""Everything that knows the server side of aiohttp: connections, request contexts, middleware and routing."""
