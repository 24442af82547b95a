"""What every test may use; the fixtures themselves stand in tests/servers/fixtures.py."""

pytest_plugins = ["tests.nothing_skipped", "tests.servers.fixtures"]
