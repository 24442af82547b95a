"""The database: the one truth. Nothing outside this package speaks SQL."""
