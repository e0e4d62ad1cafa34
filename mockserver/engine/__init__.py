"""Time, money, tasks and delivery: no provider, no route and no HTTP server in here."""
