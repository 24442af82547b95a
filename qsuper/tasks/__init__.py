"""From one claimed job to its outcome. No database, no loop."""
