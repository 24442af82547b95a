"""Measurements, each on private servers of its own: `scripts/bench NAME`."""
