"""How late watched keys become jobs beside a full cache, and a bare `psubscribe` script."""
