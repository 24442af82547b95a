"""Redis and Valkey: where they are, what is asked of them. Only this package knows redis-py."""
