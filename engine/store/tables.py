"""The whole schema, one table a noun; alembic's first migration creates exactly this."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from engine.store.columns import Document, Instant, Number, own_id, reference

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

association = Table(
    "association",
    metadata,
    own_id(),
    Column("name", Text, nullable=False),
    Column("slug", String(64), nullable=False, unique=True),
    Column("columns", Document, nullable=False),  # the association's own card columns, in order
    Column("tracking", Boolean, nullable=False, default=False),
    Column("created_at", Instant, nullable=False),
)

office = Table(
    "office",
    metadata,
    own_id(),
    reference("association", index=True),
    Column("name", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

user = Table(
    "user",
    metadata,
    own_id(),
    reference("association", nullable=True, index=True),  # null: an operator of the installation
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False, unique=True),
    Column("role", String(16), nullable=False),  # operator | secretary
    Column("password_hash", Text),
    Column("created_at", Instant, nullable=False),
)

session = Table(
    "session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    reference("user", index=True),
    Column("csrf", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

login_try = Table(
    "login_try",
    metadata,
    own_id(),
    Column("name", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index(None, "name", "at"),
)

api_key = Table(
    "api_key",
    metadata,
    own_id(),
    reference("association", nullable=True),  # null: good for the whole installation
    Column("name", Text, nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("caller", String(64), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("status_code", Integer),
    Column("response", Document),
    Column("created_at", Instant, nullable=False),
)

audit_event = Table(
    "audit_event",
    metadata,
    own_id(),
    reference("association", nullable=True),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("detail", Document, nullable=False),
    Column("at", Instant, nullable=False),
)

webhook = Table(
    "webhook",
    metadata,
    own_id(),
    reference("association"),
    Column("url", Text, nullable=False),
    Column("nonce", String(64), nullable=False),  # the secret is made of it by the key ring, and kept nowhere
    Column("created_at", Instant, nullable=False),
    Column("told_event_id", Number, nullable=False),  # every event of the association up to this one was told
    Column("next_attempt_at", Instant),  # while one is under way: when it may be taken for lost; null: paused
    Column("failures", Integer, nullable=False, default=0),
    Column("why", Text, nullable=False, default=""),
)

card = Table(
    "card",
    metadata,
    own_id(),
    reference("association"),
    Column("first_name", Text, nullable=False, default=""),
    Column("last_name", Text, nullable=False, default=""),
    Column("email", Text, nullable=False, default=""),  # as typed
    Column("address_key", Text, nullable=False, default=""),  # normalised; what addresses are compared by
    Column("status", String(24), nullable=False),
    Column("notes", Text, nullable=False, default=""),
    Column("fields", Document, nullable=False),
    Column("folded", Document, nullable=False),  # every text, own columns too, as it is searched and sorted by
    Column("version", Integer, nullable=False, default=1),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index(None, "association_id", "address_key"),
    Index(None, "address_key"),
    Index(None, "association_id", "status"),
)

view = Table(
    "view",
    metadata,
    own_id(),
    reference("association", index=True),
    Column("name", Text, nullable=False),
    Column("columns", Document, nullable=False),
    Column("filter", Document, nullable=False),
    Column("sort", Document, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("association_id", "name"),
)

consent_event = Table(
    "consent_event",
    metadata,
    own_id(),
    reference("association"),
    reference("card", index=True),
    Column("address_key", Text, nullable=False),
    Column("kind", String(16), nullable=False),  # requested | confirmed | withdrawn | reset
    Column("how", Text, nullable=False),
    Column("text_version", String(32), nullable=False),
    Column("at", Instant, nullable=False),
)

address = Table(
    "address",
    metadata,
    Column("address_key", Text, primary_key=True),
    Column("strikes", Integer, nullable=False, default=0),
    Column("last_strike_at", Instant),
    Column("last_accepted_at", Instant),
)

suppression = Table(
    "suppression",
    metadata,
    own_id(),
    Column("address_key", Text, nullable=False),
    reference("association", nullable=True),  # null: holds for every association
    Column("status", String(16), nullable=False),  # bounced | invalid | blocked | spam | unsubscribed
    Column("reason", String(32), nullable=False),
    Column("evidence", Text, nullable=False),  # the receiver's own words
    reference("message", nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("lifted_at", Instant),
    Index(None, "address_key"),
)

mailing = Table(
    "mailing",
    metadata,
    own_id(),
    reference("association", index=True),
    reference("office"),
    reference("user"),
    Column("kind", String(16), nullable=False),  # mailing | confirmation
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("format", String(16), nullable=False),  # markdown | plain
    Column("state", String(16), nullable=False),  # draft | sending | paused | cancelled
    Column("skipped", Document, nullable=False),  # cards of the view that got no mail: {address status: count}
    # What a mail says of its sender as it was when sent, so that it renders the same for ever.
    Column("sender", Document, nullable=False),  # {association, slug, office, user, user_email}
    Column("created_at", Instant, nullable=False),
    Column("sent_at", Instant),
)

message = Table(
    "message",
    metadata,
    own_id(),
    reference("mailing"),
    reference("association"),
    reference("card"),
    Column("email", Text, nullable=False),  # as it stood on the card
    Column("address_key", Text, nullable=False),
    Column("first_name", Text, nullable=False),
    Column("last_name", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("site", Text),  # operator of the domain's MXs, known once claimed
    Column("status", String(16), nullable=False),
    Column("reason", String(32)),
    Column("attempts", Integer, nullable=False, default=0),
    Column("created_at", Instant, nullable=False),
    Column("first_attempt_at", Instant),
    Column("next_attempt_at", Instant),  # null: nothing is due; while leased: when the lease ends
    Column("lease", String(32)),  # who may settle the attempt under way
    Column("last_reply", Text),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("card_id", "mailing_id"),  # also finds the messages of a card; every index costs at every move
    Index(None, "address_key"),
    Index(None, "mailing_id", "status"),
    sqlite_autoincrement=True,  # a number stands in signed return paths, so it is never given twice
)

# The queue: every row that is to be tried again, a lane (mailing, domain) at a time, the longest waiting first.
Index(
    "ix_message_lane",
    message.c.mailing_id,
    message.c.domain,
    message.c.next_attempt_at,
    sqlite_where=message.c.next_attempt_at.is_not(None),
    postgresql_where=message.c.next_attempt_at.is_not(None),
)

# What a server on the way has said to be late with; nothing more is heard of most of it.
_is_delayed = (message.c.status == "deferred") & message.c.next_attempt_at.is_(None)
Index("ix_message_delayed", message.c.updated_at, sqlite_where=_is_delayed, postgresql_where=_is_delayed)

message_event = Table(
    "message_event",
    metadata,
    own_id(),
    reference("message", index=True),
    Column("at", Instant, nullable=False),
    Column("kind", String(16), nullable=False),  # move | attempt | report | note
    Column("old", String(16), nullable=False),
    Column("new", String(16), nullable=False),
    Column("attempt", Integer, nullable=False, default=0),
    Column("stage", String(16), nullable=False, default=""),  # the command that was answered
    Column("reason", String(32), nullable=False),
    Column("fault", String(24), nullable=False),
    Column("rule", Text, nullable=False, default=""),
    Column("code", Integer, nullable=False, default=0),
    Column("enhanced", String(16), nullable=False, default=""),
    Column("text", Text, nullable=False, default=""),  # the receiver's own words
    Column("host", Text, nullable=False, default=""),
    Column("tls", Text, nullable=False, default=""),
    reference("report", nullable=True),
    sqlite_autoincrement=True,  # no number twice, even if the newest events are erased: webhooks are told by number
)

report = Table(
    "report",
    metadata,
    own_id(),
    Column("received_at", Instant, nullable=False),
    Column("envelope_from", Text, nullable=False),
    Column("recipients", Document, nullable=False),
    Column("peer", Text, nullable=False),
    Column("digest", String(64), nullable=False, unique=True),  # SHA-256 of recipients and raw: counts once
    Column("raw", LargeBinary),  # null once its retention is over
    Column("state", String(16), nullable=False),  # store.reports.ReportState
    Column("kind", String(24), nullable=False, default=""),
    Column("findings", Document, nullable=False),
    reference("message", nullable=True, index=True),
    Column("settled_at", Instant),
    Index(None, "state", "id"),
)

letter = Table(
    "letter",
    metadata,
    Column("report_id", Number, ForeignKey("report.id"), primary_key=True, autoincrement=False),
    reference("message", nullable=True),  # null once the member is erased
    reference("user"),  # whom it goes to
    Column("attempts", Integer, nullable=False),  # also the fence: who settles names the attempt that is his
    Column("first_attempt_at", Instant, nullable=False),
    Column("next_attempt_at", Instant, index=True),  # while under way: when it may be taken for lost; null: it is over
    Index(None, "message_id", "first_attempt_at"),
    Index(None, "user_id", "first_attempt_at"),
)

correction = Table(
    "correction",
    metadata,
    own_id(),
    Column("run", Integer, nullable=False, index=True),  # one run of `reclassify`, taken back as a whole
    reference("message", index=True),
    Column("event_id", Number, ForeignKey("message_event.id"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("reason", String(32), nullable=False),  # what the event is taken to mean now
    Column("fault", String(24), nullable=False),
    Column("changes", Document, nullable=False),  # what was changed, as it was and as it was left
    Column("undone_at", Instant),
)

site = Table(
    "site",
    metadata,
    Column("name", Text, primary_key=True),
    Column("state", String(16), nullable=False),  # closed: mail flows | open: none | half_open: one probe
    Column("reason", String(32), nullable=False),
    Column("why", Text, nullable=False, default=""),
    Column("fault", String(24), nullable=False, default=""),
    Column("failures", Integer, nullable=False, default=0),
    Column("opened_at", Instant),
    Column("next_probe_at", Instant),
    Column("limits", Document, nullable=False),  # learned, narrower than shaping.toml
    Column("updated_at", Instant, nullable=False),
)

domain = Table(
    "domain",
    metadata,
    Column("name", Text, primary_key=True),
    Column("site", Text, nullable=False, index=True),
    Column("updated_at", Instant, nullable=False),
)

alert = Table(
    "alert",
    metadata,
    own_id(),
    Column("at", Instant, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("closed_at", Instant),
)

node = Table(
    "node",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
)

installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # the only one is 1
    Column("mark", String(32), nullable=False),
    Column("turn", BigInteger, nullable=False),  # moved on by senders; a backup is an earlier one
)
