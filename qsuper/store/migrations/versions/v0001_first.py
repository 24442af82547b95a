"""The first tables.

Plain SQL, one text per database: these lines are the contract with programs that write the
tables in other languages, and every word of them was chosen (collations, generated column,
defaults). A portable construct would hide that.
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_MYSQL = (
    """
    CREATE TABLE queue (
        id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
        queue VARCHAR(64) COLLATE utf8mb4_bin NOT NULL DEFAULT 'default',
        task VARCHAR(190) COLLATE utf8mb4_bin NOT NULL,
        param MEDIUMTEXT NULL,
        name VARBINARY(255) NULL,
        status TINYINT NOT NULL DEFAULT 0,
        priority SMALLINT NOT NULL DEFAULT 0,
        run_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
        attempt INT NOT NULL DEFAULT 0,
        max_attempts INT NULL,
        timeout DOUBLE NULL,
        worker VARCHAR(64) COLLATE utf8mb4_bin NULL,
        claims INT NOT NULL DEFAULT 0,
        solo TINYINT NOT NULL DEFAULT 0,
        cancel TINYINT NOT NULL DEFAULT 0,
        held_by VARCHAR(190) COLLATE utf8mb4_bin NULL,
        group_id BIGINT NULL,
        put_off_since TIMESTAMP(6) NULL DEFAULT NULL,
        started_at TIMESTAMP(6) NULL DEFAULT NULL,
        progress VARCHAR(255) NULL,
        state MEDIUMTEXT NULL,
        result MEDIUMTEXT NULL,
        headers TEXT NULL,
        took_ms INT NULL,
        ctime TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
        mtime TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
        live_name VARBINARY(255)
            GENERATED ALWAYS AS (CASE WHEN status IN (0, 2, 4, 6) THEN name END) STORED,
        CONSTRAINT queue_status CHECK (status BETWEEN 0 AND 6),
        CONSTRAINT queue_attempt CHECK (attempt BETWEEN 0 AND 1000000000),
        CONSTRAINT queue_claims CHECK (claims BETWEEN 0 AND 1000000000),
        CONSTRAINT queue_max_attempts CHECK (max_attempts >= 1),
        CONSTRAINT queue_timeout CHECK (timeout >= 0),
        UNIQUE KEY live_name (live_name),
        KEY claim (queue, status, priority, id),
        KEY due (queue, status, run_at)
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
    """,
    """
    CREATE TABLE attempts (
        job_id BIGINT NOT NULL,
        claims INT NOT NULL,
        attempt INT NOT NULL,
        worker VARCHAR(64) COLLATE utf8mb4_bin NULL,
        node VARCHAR(64) COLLATE utf8mb4_bin NULL,
        started_at TIMESTAMP(6) NULL DEFAULT NULL,
        ended_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
        outcome VARCHAR(16) COLLATE utf8mb4_bin NOT NULL,
        error TEXT NULL,
        traceback MEDIUMTEXT NULL,
        output MEDIUMTEXT NULL,
        PRIMARY KEY (job_id, claims)
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
    """,
    """
    CREATE TABLE nodes (
        id VARCHAR(64) COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,
        host VARCHAR(255) NOT NULL,
        boot VARCHAR(32) COLLATE utf8mb4_bin NOT NULL,
        beat_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
        lease_until TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
        alone TINYINT NOT NULL DEFAULT 0,
        suspected_at TIMESTAMP(6) NULL DEFAULT NULL,
        workers TEXT NOT NULL
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
    """,
    """
    CREATE TABLE queues (
        name VARCHAR(64) COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,
        paused TINYINT NOT NULL DEFAULT 0
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
    """,
    """
    CREATE TABLE watched_keys (
        db INT NOT NULL,
        name_hash BINARY(32) NOT NULL,
        name MEDIUMBLOB NOT NULL,
        deadline BIGINT NULL,
        value MEDIUMBLOB NULL,
        state TINYINT NOT NULL DEFAULT 0,
        mtime TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
        PRIMARY KEY (db, name_hash),
        KEY due (state, deadline)
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
    """,
    """
    CREATE TABLE schedules (
        name VARCHAR(190) COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,
        definition TEXT NOT NULL,
        since TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
        paused TINYINT NOT NULL DEFAULT 0
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
    """,
    """
    CREATE TABLE schedule_runs (
        name VARCHAR(190) COLLATE utf8mb4_bin NOT NULL,
        due_at DATETIME NOT NULL,
        job_id BIGINT NULL,
        PRIMARY KEY (name, due_at)
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
    """,
    """
    CREATE TABLE limits (
        name VARCHAR(190) COLLATE utf8mb4_bin NOT NULL,
        slot INT NOT NULL,
        job_id BIGINT NULL,
        claims INT NULL,
        PRIMARY KEY (name, slot)
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
    """,
    """
    CREATE TABLE job_groups (
        id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
        pending INT NOT NULL,
        task VARCHAR(190) COLLATE utf8mb4_bin NOT NULL,
        param MEDIUMTEXT NULL
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
    """,
)

_NOW = "(strftime('%Y-%m-%d %H:%M:%f', 'now'))"
# Dates are compared as text, so a date of another shape must be refused where it is written.
_DATE = (
    "run_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]*'"
    " AND substr(run_at, 20) NOT GLOB '*[^.0-9]*' AND julianday(run_at) IS NOT NULL"
)

_SQLITE = (
    f"""
    CREATE TABLE queue (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        queue TEXT NOT NULL DEFAULT 'default' CHECK (length(queue) <= 64),
        task TEXT NOT NULL CHECK (length(task) <= 190),
        param ANY,
        name TEXT CHECK (length(CAST(name AS BLOB)) <= 255),
        status INTEGER NOT NULL DEFAULT 0 CHECK (status BETWEEN 0 AND 6),
        priority INTEGER NOT NULL DEFAULT 0 CHECK (priority BETWEEN -32768 AND 32767),
        run_at TEXT NOT NULL DEFAULT {_NOW} CHECK ({_DATE}),
        attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt BETWEEN 0 AND 1000000000),
        max_attempts INTEGER CHECK (max_attempts >= 1),
        timeout REAL CHECK (timeout >= 0),
        worker TEXT,
        claims INTEGER NOT NULL DEFAULT 0 CHECK (claims BETWEEN 0 AND 1000000000),
        solo INTEGER NOT NULL DEFAULT 0,
        cancel INTEGER NOT NULL DEFAULT 0,
        held_by TEXT,
        group_id INTEGER,
        put_off_since TEXT,
        started_at TEXT,
        progress TEXT,
        state TEXT,
        result TEXT,
        headers TEXT,
        took_ms INTEGER,
        ctime TEXT NOT NULL DEFAULT {_NOW},
        mtime TEXT NOT NULL DEFAULT {_NOW}
    ) STRICT
    """,
    "CREATE UNIQUE INDEX live_name ON queue (name) WHERE status IN (0, 2, 4, 6)",
    "CREATE INDEX claim ON queue (queue, status, priority, id)",
    "CREATE INDEX due ON queue (queue, status, run_at)",
    f"""
    CREATE TABLE attempts (
        job_id INTEGER NOT NULL,
        claims INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        worker TEXT,
        node TEXT,
        started_at TEXT,
        ended_at TEXT NOT NULL DEFAULT {_NOW},
        outcome TEXT NOT NULL,
        error TEXT,
        traceback TEXT,
        output TEXT,
        PRIMARY KEY (job_id, claims)
    ) STRICT
    """,
    f"""
    CREATE TABLE nodes (
        id TEXT NOT NULL PRIMARY KEY,
        host TEXT NOT NULL,
        boot TEXT NOT NULL,
        beat_at TEXT NOT NULL DEFAULT {_NOW},
        lease_until TEXT NOT NULL DEFAULT {_NOW},
        alone INTEGER NOT NULL DEFAULT 0,
        suspected_at TEXT,
        workers TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE queues (
        name TEXT NOT NULL PRIMARY KEY,
        paused INTEGER NOT NULL DEFAULT 0
    ) STRICT
    """,
    f"""
    CREATE TABLE watched_keys (
        db INTEGER NOT NULL,
        name_hash BLOB NOT NULL,
        name BLOB NOT NULL,
        deadline INTEGER,
        value BLOB,
        state INTEGER NOT NULL DEFAULT 0,
        mtime TEXT NOT NULL DEFAULT {_NOW},
        PRIMARY KEY (db, name_hash)
    ) STRICT
    """,
    "CREATE INDEX watched_keys_due ON watched_keys (state, deadline)",
    f"""
    CREATE TABLE schedules (
        name TEXT NOT NULL PRIMARY KEY,
        definition TEXT NOT NULL,
        since TEXT NOT NULL DEFAULT {_NOW},
        paused INTEGER NOT NULL DEFAULT 0
    ) STRICT
    """,
    """
    CREATE TABLE schedule_runs (
        name TEXT NOT NULL,
        due_at TEXT NOT NULL,
        job_id INTEGER,
        PRIMARY KEY (name, due_at)
    ) STRICT
    """,
    """
    CREATE TABLE limits (
        name TEXT NOT NULL,
        slot INTEGER NOT NULL,
        job_id INTEGER,
        claims INTEGER,
        PRIMARY KEY (name, slot)
    ) STRICT
    """,
    """
    CREATE TABLE job_groups (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        pending INTEGER NOT NULL,
        task TEXT NOT NULL,
        param ANY
    ) STRICT
    """,
)

TABLES = {"mysql": _MYSQL, "mariadb": _MYSQL, "sqlite": _SQLITE}


def upgrade() -> None:
    bind = op.get_bind()
    for statement in TABLES[bind.dialect.name]:
        bind.exec_driver_sql(statement)
