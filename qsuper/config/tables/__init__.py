"""The tables of `qsuper.toml`, a subject a file: every key with its meaning, unit and default."""
