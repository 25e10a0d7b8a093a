"""The tables of jobs.db, numbered by `user_version`: a newer program upgrades an older file."""

import sqlite3

from preheat.errors import ProviderError

VERSION_1 = """
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    function TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('job', 'delivery')),
    status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    attempt INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL,
    not_before REAL NOT NULL,
    created REAL NOT NULL,
    started REAL,
    finished REAL,
    expires REAL NOT NULL,
    idempotency_key TEXT,
    digest TEXT NOT NULL,
    request TEXT NOT NULL,
    request_body BLOB,
    response TEXT,
    response_body BLOB,
    source TEXT,
    sink TEXT,
    webhook TEXT,
    webhook_due REAL,
    webhook_attempts INTEGER NOT NULL DEFAULT 0,
    webhook_result TEXT
) STRICT;
CREATE UNIQUE INDEX jobs_idempotency ON jobs (function, kind, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX jobs_queued ON jobs (function, kind, not_before, seq) WHERE status = 'queued';
CREATE INDEX jobs_expires ON jobs (expires);
CREATE INDEX jobs_webhook ON jobs (webhook_due) WHERE webhook_due IS NOT NULL;
CREATE TABLE objects (
    function TEXT NOT NULL,
    trigger TEXT NOT NULL,
    key TEXT NOT NULL,
    version TEXT,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    PRIMARY KEY (function, trigger, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE cursors (
    function TEXT NOT NULL,
    trigger TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (function, trigger)
) STRICT, WITHOUT ROWID;
CREATE TABLE secrets (function TEXT PRIMARY KEY, secret BLOB NOT NULL) STRICT, WITHOUT ROWID;
"""

MIGRATIONS = (VERSION_1,)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the database to the newest version, each step in one transaction."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise ProviderError(
            f"jobs.db has schema version {version}, this Preheat knows up to {len(MIGRATIONS)}: "
            "a newer Preheat wrote it",
            hint="pip install --upgrade preheat",
        )
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
