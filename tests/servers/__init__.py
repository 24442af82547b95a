"""Private MariaDB and Redis servers: real ones, in a temporary folder, gone with the test run."""

from tests.servers.mariadb import MariaDB
from tests.servers.mysql import MySQL
from tests.servers.redis import Redis
from tests.servers.server import Server

__all__ = ["MariaDB", "MySQL", "Redis", "Server"]
