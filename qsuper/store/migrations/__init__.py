"""The tables and how they grew. Each version adds; none takes away what a writer relies on."""
