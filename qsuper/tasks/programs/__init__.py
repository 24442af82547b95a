"""Running tasks that are programs: their process, what they say, what their end means."""
