"""What is measured: one module a mode, each with `run(rig, effort) -> Result`."""
