"""The server: sockets, connections, threads, and streams of events."""
