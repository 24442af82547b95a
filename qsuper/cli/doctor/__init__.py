"""What `qsuper doctor` looks at: one file a subject, one line a subject in `SUBJECTS`."""
