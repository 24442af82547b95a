"""What the mode `timers` runs: an application, and a bare poller of a sorted set beside it."""
