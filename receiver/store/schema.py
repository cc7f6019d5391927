"""The tables, and how an older state file is brought up to date.

Migrations are additive and run in one transaction; a newer schema than ours is refused, because an old receiver would
write rows that the newer one misreads.

| table | one row is |
|---|---|
| alert | one state of one alert (`dedup_key`); `incident_id` NULL: accepted, not yet folded into an incident; `is_newest`: the state that holds |
| incident | one memory problem of one workload's container, while it lives; at most one open (`closed_at` NULL) per key |
| incident_alias | another key of an incident, found out later |
| incident_mark | something that incidents can have in common: `kind` of it (workload, signature, image, node) and its value |
| incident_listed | what the list of incidents filters and sorts by, of one incident (`listing.py`) |
| job | something to do: kind, due time, attempts; at most one pending of a kind per incident or conversation |
| conversation | one channel of one sink in which an incident (or a storm, or a notice) is told |
| digest_member | an incident that is told inside a storm's conversation instead of in its own |
| message | one message as it should be (`desired_*`) and as far as it is known to be (`sent_*`, `ts`) |
| quarantine | a row of another table that could not be read (`kind`, its id) |
| history_incident, history_kills, history_limit | what is kept of a workload when its incidents are gone (`workloads.py`) |
| leader | who may dispatch; on SQLite the file lock already says so, the row keeps the epoch |
"""

from __future__ import annotations

from receiver.errors import StoreError
from receiver.store import alerts, alike, incident_lists
from receiver.store.database import Database, Dialect, Lane, Tx

INSTALLED_AT = "installed_at"
SCHEMA_VERSION = 9
LISTED_SINCE = 9  # the schema whose incidents are listed without reading what each of them remembers
MARKED_SINCE = 7  # the schema whose incidents are found by what they have in common
RANKED_SINCE = 5  # the schema whose alerts carry the rank of their severity, which SQL cannot read out of a payload


def _version_1(d: Dialect) -> tuple[str, ...]:
    return (
        f"""CREATE TABLE leader (
            id INTEGER PRIMARY KEY CHECK (id = 1), owner TEXT NOT NULL, epoch INTEGER NOT NULL, expires_at {d.real} NOT NULL)""",
        f"""CREATE TABLE incident (
            id TEXT PRIMARY KEY, key TEXT NOT NULL, state TEXT NOT NULL, severity TEXT NOT NULL, subject TEXT NOT NULL,
            opened_at {d.real} NOT NULL, closed_at {d.real}, resolved_at {d.real},
            first_seen {d.real} NOT NULL, last_seen {d.real} NOT NULL,
            revision INTEGER NOT NULL DEFAULT 0, previous_id TEXT, data TEXT NOT NULL DEFAULT '{{}}',
            report TEXT, evidence {d.blob}, gathered_at {d.real})""",
        "CREATE UNIQUE INDEX incident_open_key ON incident (key) WHERE closed_at IS NULL",
        "CREATE INDEX incident_by_key ON incident (key, opened_at)",
        "CREATE TABLE incident_alias (key TEXT NOT NULL, incident_id TEXT NOT NULL REFERENCES incident (id) ON DELETE CASCADE, PRIMARY KEY (key, incident_id))",
        f"""CREATE TABLE alert (
            id {d.serial_key}, dedup_key TEXT NOT NULL UNIQUE, incident_id TEXT REFERENCES incident (id) ON DELETE CASCADE,
            fingerprint TEXT NOT NULL, status TEXT NOT NULL, starts_at {d.real} NOT NULL, payload TEXT NOT NULL,
            first_seen {d.real} NOT NULL, last_seen {d.real} NOT NULL, times_seen INTEGER NOT NULL DEFAULT 1,
            is_folded INTEGER NOT NULL DEFAULT 0)""",
        "CREATE INDEX alert_unfolded ON alert (id) WHERE is_folded = 0",
        "CREATE INDEX alert_by_incident ON alert (incident_id)",
        "CREATE INDEX alert_by_fingerprint ON alert (fingerprint, starts_at)",
        f"""CREATE TABLE conversation (
            id TEXT PRIMARY KEY, kind TEXT NOT NULL, incident_id TEXT REFERENCES incident (id) ON DELETE CASCADE,
            sink TEXT NOT NULL, channel TEXT NOT NULL, mention TEXT NOT NULL DEFAULT '', root_ts TEXT,
            opened_at {d.real} NOT NULL, closed_at {d.real}, data TEXT NOT NULL DEFAULT '{{}}')""",
        "CREATE UNIQUE INDEX conversation_place ON conversation (incident_id, sink, channel) WHERE incident_id IS NOT NULL",
        "CREATE INDEX conversation_by_channel ON conversation (sink, channel, opened_at)",
        f"""CREATE TABLE digest_member (
            conversation_id TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
            incident_id TEXT NOT NULL REFERENCES incident (id) ON DELETE CASCADE, joined_at {d.real} NOT NULL,
            PRIMARY KEY (conversation_id, incident_id))""",
        "CREATE INDEX digest_member_by_incident ON digest_member (incident_id)",
        f"""CREATE TABLE message (
            id TEXT PRIMARY KEY, conversation_id TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE, slot TEXT NOT NULL,
            position INTEGER NOT NULL, is_reply INTEGER NOT NULL, is_broadcast INTEGER NOT NULL DEFAULT 0, urgency INTEGER NOT NULL DEFAULT 3,
            desired_body TEXT NOT NULL, desired_rev INTEGER NOT NULL DEFAULT 1, sent_rev INTEGER NOT NULL DEFAULT 0,
            state TEXT NOT NULL DEFAULT 'new', ts TEXT, intent_at {d.real}, intent_rev INTEGER, sent_at {d.real},
            is_plain INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, created_at {d.real} NOT NULL,
            due_at {d.real} NOT NULL DEFAULT 0, last_error TEXT, UNIQUE (conversation_id, slot))""",
        "CREATE INDEX message_unsent ON message (due_at) WHERE desired_rev > sent_rev AND state <> 'dead'",
        "CREATE INDEX message_dead ON message (created_at) WHERE state = 'dead'",
        f"""CREATE TABLE job (
            id {d.serial_key}, kind TEXT NOT NULL, subject_id TEXT NOT NULL, dedup_key TEXT UNIQUE,
            payload TEXT NOT NULL DEFAULT '{{"v": 1}}', state TEXT NOT NULL DEFAULT 'pending', attempts INTEGER NOT NULL DEFAULT 0,
            epoch INTEGER, due_at {d.real} NOT NULL DEFAULT 0, created_at {d.real} NOT NULL, last_error TEXT)""",
        "CREATE UNIQUE INDEX job_one_pending ON job (kind, subject_id) WHERE state = 'pending'",
        "CREATE INDEX job_due ON job (due_at) WHERE state = 'pending'",
        "CREATE INDEX job_by_subject ON job (subject_id)",
    )


def _version_2(d: Dialect) -> tuple[str, ...]:
    # The case whose verdict a person called wrong: kept as it was then, and kept from being forgotten.
    return (f"ALTER TABLE incident ADD COLUMN kept_evidence {d.blob}",)


def _version_3(d: Dialect) -> tuple[str, ...]:
    return (
        "CREATE TABLE quarantine (kind TEXT NOT NULL, row_id TEXT NOT NULL, why TEXT NOT NULL, is_notified INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (kind, row_id))",
        "ALTER TABLE alert ADD COLUMN times_refolded INTEGER NOT NULL DEFAULT 0",
    )


def _version_4(d: Dialect) -> tuple[str, ...]:
    return ("ALTER TABLE message ADD COLUMN times_reposted INTEGER NOT NULL DEFAULT 0",)


def _version_5(d: Dialect) -> tuple[str, ...]:
    # What grows is found by an index wherever something waits for it: tests/unit/store/test_plans.py.
    return (
        "ALTER TABLE incident ADD COLUMN packing INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX incident_packing ON incident (packing, closed_at) WHERE closed_at IS NOT NULL",
        "DROP INDEX alert_by_incident",  # first: the update goes by fingerprints
        "ALTER TABLE alert ADD COLUMN is_newest INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE alert ADD COLUMN severity_rank INTEGER NOT NULL DEFAULT 1",
        f"""UPDATE alert SET is_newest = 1 WHERE incident_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM alert o WHERE o.fingerprint = alert.fingerprint AND o.incident_id = alert.incident_id AND o.id <> alert.id
            AND (o.starts_at > alert.starts_at OR (o.starts_at = alert.starts_at AND ({_HOLDS_BEFORE}))))""",
        "CREATE INDEX alert_by_incident ON alert (incident_id, status, last_seen)",
        "CREATE INDEX alert_newest ON alert (incident_id, status, severity_rank DESC, starts_at DESC, id DESC) WHERE is_newest = 1",
        "CREATE INDEX incident_open ON incident (id) WHERE closed_at IS NULL",
        "CREATE INDEX incident_closed ON incident (closed_at) WHERE closed_at IS NOT NULL",
        "CREATE INDEX incident_by_last_seen ON incident (last_seen)",
        "CREATE INDEX incident_alias_by_incident ON incident_alias (incident_id)",
        "CREATE INDEX conversation_open ON conversation (sink, channel, kind) WHERE closed_at IS NULL AND incident_id IS NULL",
        "CREATE INDEX conversation_of_none ON conversation (opened_at) WHERE incident_id IS NULL",
        "CREATE INDEX message_settled ON message (sent_at) WHERE state = 'settled'",
        "CREATE INDEX job_dead ON job (id) WHERE state = 'dead'",
    )


# Of two states of one firing, `o` holds: the resolve, unless the firing was seen again after it (receiver/store/alerts.py).
_HOLDS_BEFORE = """CASE WHEN o.status = 'resolved' THEN NOT (alert.times_seen > 1 AND alert.last_seen > o.last_seen)
    ELSE o.times_seen > 1 AND o.last_seen > alert.last_seen END"""


def _version_6(d: Dialect) -> tuple[str, ...]:
    # After which message of ours, by the sink's clock, a doubtful one can stand: ours may be wrong by any amount.
    return ("ALTER TABLE message ADD COLUMN intent_after TEXT",)


def _version_7(d: Dialect) -> tuple[str, ...]:
    # Similar incidents, which SQL cannot read out of what is stored of them.
    return (
        """CREATE TABLE incident_mark (kind TEXT NOT NULL, value TEXT NOT NULL, incident_id TEXT NOT NULL REFERENCES incident (id) ON DELETE CASCADE,
            PRIMARY KEY (kind, value, incident_id))""",
        "CREATE INDEX incident_mark_by_incident ON incident_mark (incident_id)",
    )


def _version_8(d: Dialect) -> tuple[str, ...]:
    # No reference to `incident`: these rows are there for when it is gone. Bytes are more than an INTEGER of PostgreSQL holds.
    return (
        f"""CREATE TABLE history_incident (
            incident_id TEXT PRIMARY KEY, workload_id TEXT NOT NULL, cluster TEXT NOT NULL, namespace TEXT NOT NULL, kind TEXT NOT NULL,
            name TEXT NOT NULL, container TEXT NOT NULL, opened_at {d.real} NOT NULL, seen_at {d.real} NOT NULL, state TEXT NOT NULL,
            kills INTEGER NOT NULL, cause TEXT NOT NULL, confidence {d.real} NOT NULL, detail TEXT NOT NULL, fixes TEXT NOT NULL)""",
        "CREATE INDEX history_by_workload ON history_incident (workload_id, opened_at)",
        "CREATE INDEX history_by_seen ON history_incident (seen_at)",
        """CREATE TABLE history_kills (
            incident_id TEXT NOT NULL REFERENCES history_incident (incident_id) ON DELETE CASCADE, day INTEGER NOT NULL,
            kills INTEGER NOT NULL, PRIMARY KEY (incident_id, day))""",
        "CREATE INDEX history_kills_by_day ON history_kills (day)",
        f"""CREATE TABLE history_limit (
            workload_id TEXT NOT NULL, container TEXT NOT NULL, since {d.real} NOT NULL, seen_at {d.real} NOT NULL, limit_bytes {d.real},
            peak_bytes {d.real}, wanted_bytes {d.real}, PRIMARY KEY (workload_id, container, since))""",
        "CREATE INDEX history_limit_by_seen ON history_limit (seen_at)",
    )


def _version_9(d: Dialect) -> tuple[str, ...]:
    return (
        f"""CREATE TABLE incident_listed (incident_id TEXT PRIMARY KEY REFERENCES incident (id) ON DELETE CASCADE, namespace TEXT NOT NULL,
            place TEXT NOT NULL, cause TEXT NOT NULL, is_owned INTEGER NOT NULL, has_fix INTEGER NOT NULL, silenced_until {d.real},
            remembered TEXT NOT NULL, kill_hours TEXT NOT NULL DEFAULT '')""",
        "CREATE INDEX incident_listed_by_namespace ON incident_listed (namespace)",
    )


MIGRATIONS = (_version_1, _version_2, _version_3, _version_4, _version_5, _version_6, _version_7, _version_8, _version_9)


def migrate(database: Database, *, now: float) -> None:
    """Bring the schema to SCHEMA_VERSION; a new store notes when it was made. StoreError when it is newer than this release knows."""
    d = database.dialect
    with database.transaction(lane=Lane.MIGRATE) as tx:
        if d.migration_lock:
            tx.run(d.migration_lock)
        tx.run(f"CREATE TABLE IF NOT EXISTS meta (k {d.text} PRIMARY KEY, v {d.text} NOT NULL)")
        version = schema_version(tx)
        if version > SCHEMA_VERSION:
            raise StoreError(f"the store has schema {version}, newer than the {SCHEMA_VERSION} this release knows: run the newer release")
        for migration in MIGRATIONS[version:]:
            for statement in migration(d):
                tx.run(statement.replace(" TEXT", f" {d.text}"))
        if 0 < version < RANKED_SINCE:
            alerts.rank_again(tx)
        if 0 < version < MARKED_SINCE:
            alike.mark_all(tx)
        if 0 < version < LISTED_SINCE:
            incident_lists.list_all(tx)
        if version < SCHEMA_VERSION:
            set_meta(tx, "schema", str(SCHEMA_VERSION))
        if version == 0:
            set_meta(tx, INSTALLED_AT, str(now))


def schema_version(tx: Tx) -> int:
    """The schema number of an open database; 0 for an empty one."""
    return int(get_meta(tx, "schema") or 0)


def get_meta(tx: Tx, key: str) -> str | None:
    """One of the store's own notes."""
    rows = tx.run("SELECT v FROM meta WHERE k = :k", k=key)
    return str(rows[0]["v"]) if rows else None


def set_meta(tx: Tx, key: str, value: str) -> None:
    """Write one of the store's own notes."""
    tx.run("INSERT INTO meta (k, v) VALUES (:k, :v) ON CONFLICT (k) DO UPDATE SET v = excluded.v", k=key, v=value)
