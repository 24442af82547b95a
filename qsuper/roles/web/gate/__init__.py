"""Who may come in, and ask for what."""
