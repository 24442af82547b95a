"""A job queue and timer daemon for shops that run MySQL or MariaDB, and Redis."""

__version__ = "0.1.0"
