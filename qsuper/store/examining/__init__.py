"""What `qsuper doctor` asks of a database: it reads, and changes nothing."""
