"""The table of a PHP loop, in the forms that shops have it, and the programs that write to it."""

import os
import sys
import time
from typing import Any

import pymysql
from sqlalchemy import make_url

from qsuper.store.adopting import Adoption
from qsuper.store.database import Database

PLAIN = """
    id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    taskphp VARCHAR(128) NOT NULL DEFAULT '',
    param TEXT,
    status TINYINT NOT NULL DEFAULT 0,
    ctime TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    KEY ctime (ctime)
"""
FORMS = {
    "plain": f"({PLAIN}) ENGINE=InnoDB CHARSET=utf8",
    "bigint, mtime, priority, MyISAM": """(
        id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
        taskphp VARCHAR(128) DEFAULT NULL, param LONGTEXT, status INT DEFAULT 0,
        ctime TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP, mtime INT UNSIGNED DEFAULT NULL,
        priority INT DEFAULT 0, KEY status (status, priority)
    ) ENGINE=MyISAM CHARSET=utf8mb4""",
    "latin1, dates": """(
        Id INT AUTO_INCREMENT PRIMARY KEY,
        taskphp VARCHAR(255) NOT NULL DEFAULT '', param TEXT NOT NULL, status TINYINT(1) NOT NULL
        DEFAULT 0, ctime DATETIME DEFAULT CURRENT_TIMESTAMP, mtime TIMESTAMP NULL DEFAULT NULL,
        priority TINYINT UNSIGNED NOT NULL DEFAULT 0
    ) ENGINE=InnoDB CHARSET=latin1""",
    "bytes, whole numbers, columns of the shop's": """(
        id INT AUTO_INCREMENT PRIMARY KEY, shop_id INT NULL COMMENT 'of :x, {y} and 10 %s',
        taskphp VARCHAR(64) NOT NULL, param BLOB, status TINYINT NOT NULL DEFAULT 0,
        ctime INT NOT NULL DEFAULT 0, mtime INT NOT NULL DEFAULT 0,
        note VARCHAR(20) NOT NULL DEFAULT 'none', KEY shop_id (shop_id)
    ) ENGINE=InnoDB CHARSET=gbk""",
}


class OldQueue:
    """A database with the old table in it."""

    def __init__(self, url: str, form: str | None = "plain") -> None:
        self.url = url
        self.database = Database(url)
        self._connection = connect(url)
        if form is not None:
            self.run(f"CREATE TABLE queue {FORMS[form]}")

    def run(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        """One statement; its rows."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, params or None)
            return list(cursor.fetchall())

    def add(self, script: str = "send_msg.php", param: str = "uid=4&", **columns: Any) -> int:
        """One row; its id."""
        columns = {"taskphp": script, "param": param, **columns}
        names, places = ", ".join(columns), ", ".join(["%s"] * len(columns))
        with self._connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO queue ({names}) VALUES ({places})", tuple(columns.values())
            )
            return int(cursor.lastrowid)

    def add_many(self, count: int) -> None:
        """Nine done rows to each waiting one."""
        self.run(
            "INSERT INTO queue (taskphp, param, status) SELECT 'send_msg.php',"
            f" CONCAT('n=', seq, '&uids[]=6&uids[]=7&'), seq % 10 > 0 FROM seq_1_to_{count}"
        )

    def find(self) -> Adoption | None:
        connection = self.database.connect()
        try:
            return Adoption.find(connection)
        finally:
            connection.close()

    def adopt(self, *, larger_first: bool = False) -> int:
        adoption = self.find()
        assert adoption is not None
        return adoption.run(self.database, larger_first=larger_first, tell=lambda _copied: None)

    def close(self) -> None:
        self._connection.close()


def connect(url: str, **options: Any) -> Any:
    """A connection as a PHP program has one."""
    address = make_url(url)
    options = {"autocommit": True, "charset": "utf8mb4", **options}
    return pymysql.connect(
        host=address.host,
        port=address.port or 3306,
        user=address.username,
        password=address.password or "",
        database=str(address.database),
        ssl_disabled=True,
        **options,
    )


def write(url: str, path: str, script: str) -> None:
    """Insert, and note `number id milliseconds` of each acknowledged row, until ended."""
    connection = connect(url)
    with open(path, "a", buffering=1) as file, connection.cursor() as cursor:
        number = 0
        while os.getppid() != 1:
            number += 1
            began = time.monotonic()
            cursor.execute(
                "INSERT INTO queue (taskphp, param) VALUES (%s, %s)", (script, f"n={number}&")
            )
            took = 1000 * (time.monotonic() - began)
            file.write(f"{number} {cursor.lastrowid} {took:.1f}\n")


if __name__ == "__main__":
    write(*sys.argv[1:])
