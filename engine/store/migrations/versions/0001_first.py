"""The first schema, equal to `tables.py`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.store.columns import Document, Instant, Number

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "address",
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("strikes", sa.Integer(), nullable=False),
        sa.Column("last_strike_at", Instant(), nullable=True),
        sa.Column("last_accepted_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("address_key", name=op.f("pk_address")),
    )
    op.create_table(
        "alert",
        sa.Column("id", Number, autoincrement=True, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    op.create_table(
        "association",
        sa.Column("id", Number, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("columns", Document, nullable=False),
        sa.Column("tracking", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_association")),
        sa.UniqueConstraint("slug", name=op.f("uq_association_slug")),
    )
    op.create_table(
        "domain",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_domain")),
    )
    op.create_index(op.f("ix_domain_site"), "domain", ["site"], unique=False)
    op.create_table(
        "idempotency",
        sa.Column("caller", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=True),
        sa.Column("response", Document, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_idempotency")),
    )
    op.create_table(
        "login_try",
        sa.Column("id", Number, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_try")),
    )
    op.create_index(op.f("ix_login_try_name_login_try_at"), "login_try", ["name", "at"], unique=False)
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("mark", sa.String(length=32), nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.create_table(
        "node",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_node")),
    )
    op.create_table(
        "site",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("fault", sa.String(length=24), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=True),
        sa.Column("next_probe_at", Instant(), nullable=True),
        sa.Column("limits", Document, nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_site")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", Number, autoincrement=True, nullable=False),
        sa.Column("association_id", Number, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["association_id"], ["association.id"], name=op.f("fk_api_key_association_id_association")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_key_token_hash")),
    )
    op.create_table(
        "audit_event",
        sa.Column("id", Number, autoincrement=True, nullable=False),
        sa.Column("association_id", Number, nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("detail", Document, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["association_id"], ["association.id"], name=op.f("fk_audit_event_association_id_association")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
    )
    op.create_table(
        "card",
        sa.Column("id", Number, autoincrement=True, nullable=False),
        sa.Column("association_id", Number, nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("fields", Document, nullable=False),
        sa.Column("folded", Document, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["association_id"], ["association.id"], name=op.f("fk_card_association_id_association")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card")),
    )
    op.create_index(op.f("ix_card_address_key"), "card", ["address_key"], unique=False)
    op.create_index(
        op.f("ix_card_association_id_card_address_key"), "card", ["association_id", "address_key"], unique=False
    )
    op.create_index(op.f("ix_card_association_id_card_status"), "card", ["association_id", "status"], unique=False)
    op.create_table(
        "office",
        sa.Column("id", Number, autoincrement=True, nullable=False),
        sa.Column("association_id", Number, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["association_id"], ["association.id"], name=op.f("fk_office_association_id_association")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_office")),
    )
    op.create_index(op.f("ix_office_association_id"), "office", ["association_id"], unique=False)
    op.create_table(
        "user",
        sa.Column("id", Number, autoincrement=True, nullable=False),
        sa.Column("association_id", Number, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["association_id"], ["association.id"], name=op.f("fk_user_association_id_association")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("email", name=op.f("uq_user_email")),
    )
    op.create_index(op.f("ix_user_association_id"), "user", ["association_id"], unique=False)
    op.create_table(
        "view",
        sa.Column("id", Number, autoincrement=True, nullable=False),
        sa.Column("association_id", Number, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("columns", Document, nullable=False),
        sa.Column("filter", Document, nullable=False),
        sa.Column("sort", Document, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["association_id"], ["association.id"], name=op.f("fk_view_association_id_association")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_view")),
        sa.UniqueConstraint("association_id", "name", name=op.f("uq_view_association_id_name")),
    )
    op.create_index(op.f("ix_view_association_id"), "view", ["association_id"], unique=False)
    op.create_table(
        "webhook",
        sa.Column("id", Number, autoincrement=True, nullable=False),
        sa.Column("association_id", Number, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("told_event_id", Number, nullable=False),
        sa.Column("next_attempt_at", Instant(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["association_id"], ["association.id"], name=op.f("fk_webhook_association_id_association")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_table(
        "consent_event",
        sa.Column("id", Number, autoincrement=True, nullable=False),
        sa.Column("association_id", Number, nullable=False),
        sa.Column("card_id", Number, nullable=False),
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("text_version", sa.String(length=32), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["association_id"], ["association.id"], name=op.f("fk_consent_event_association_id_association")
        ),
        sa.ForeignKeyConstraint(["card_id"], ["card.id"], name=op.f("fk_consent_event_card_id_card")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_event")),
    )
    op.create_index(op.f("ix_consent_event_card_id"), "consent_event", ["card_id"], unique=False)
    op.create_table(
        "mailing",
        sa.Column("id", Number, autoincrement=True, nullable=False),
        sa.Column("association_id", Number, nullable=False),
        sa.Column("office_id", Number, nullable=False),
        sa.Column("user_id", Number, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("format", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("skipped", Document, nullable=False),
        sa.Column("sender", Document, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["association_id"], ["association.id"], name=op.f("fk_mailing_association_id_association")
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_mailing_office_id_office")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_mailing_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailing")),
    )
    op.create_index(op.f("ix_mailing_association_id"), "mailing", ["association_id"], unique=False)
    op.create_table(
        "session",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", Number, nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_session_user_id_user")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_user_id"), "session", ["user_id"], unique=False)
    op.create_table(
        "message",
        sa.Column("id", Number, autoincrement=True, nullable=False),
        sa.Column("mailing_id", Number, nullable=False),
        sa.Column("association_id", Number, nullable=False),
        sa.Column("card_id", Number, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("first_attempt_at", Instant(), nullable=True),
        sa.Column("next_attempt_at", Instant(), nullable=True),
        sa.Column("lease", sa.String(length=32), nullable=True),
        sa.Column("last_reply", sa.Text(), nullable=True),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["association_id"], ["association.id"], name=op.f("fk_message_association_id_association")
        ),
        sa.ForeignKeyConstraint(["card_id"], ["card.id"], name=op.f("fk_message_card_id_card")),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailing.id"], name=op.f("fk_message_mailing_id_mailing")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("card_id", "mailing_id", name=op.f("uq_message_card_id_mailing_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_message_address_key"), "message", ["address_key"], unique=False)
    op.create_index(
        "ix_message_lane",
        "message",
        ["mailing_id", "domain", "next_attempt_at"],
        unique=False,
        sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    op.create_index(
        "ix_message_delayed",
        "message",
        ["updated_at"],
        unique=False,
        sqlite_where=sa.text("status = 'deferred' AND next_attempt_at IS NULL"),
        postgresql_where=sa.text("status = 'deferred' AND next_attempt_at IS NULL"),
    )
    op.create_index(op.f("ix_message_mailing_id_message_status"), "message", ["mailing_id", "status"], unique=False)
    op.create_table(
        "report",
        sa.Column("id", Number, autoincrement=True, nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("envelope_from", sa.Text(), nullable=False),
        sa.Column("recipients", Document, nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("findings", Document, nullable=False),
        sa.Column("message_id", Number, nullable=True),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_report_message_id_message")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
        sa.UniqueConstraint("digest", name=op.f("uq_report_digest")),
    )
    op.create_index(op.f("ix_report_message_id"), "report", ["message_id"], unique=False)
    op.create_index(op.f("ix_report_state_report_id"), "report", ["state", "id"], unique=False)
    op.create_table(
        "letter",
        sa.Column("report_id", Number, autoincrement=False, nullable=False),
        sa.Column("message_id", Number, nullable=True),
        sa.Column("user_id", Number, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_attempt_at", Instant(), nullable=False),
        sa.Column("next_attempt_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_letter_message_id_message")),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_letter_report_id_report")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_letter_user_id_user")),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_letter")),
    )
    op.create_index(
        op.f("ix_letter_message_id_letter_first_attempt_at"), "letter", ["message_id", "first_attempt_at"], unique=False
    )
    op.create_index(op.f("ix_letter_next_attempt_at"), "letter", ["next_attempt_at"], unique=False)
    op.create_index(
        op.f("ix_letter_user_id_letter_first_attempt_at"), "letter", ["user_id", "first_attempt_at"], unique=False
    )
    op.create_table(
        "suppression",
        sa.Column("id", Number, autoincrement=True, nullable=False),
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("association_id", Number, nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("message_id", Number, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("lifted_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["association_id"], ["association.id"], name=op.f("fk_suppression_association_id_association")
        ),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_suppression_message_id_message")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression")),
    )
    op.create_index(op.f("ix_suppression_address_key"), "suppression", ["address_key"], unique=False)
    op.create_table(
        "message_event",
        sa.Column("id", Number, autoincrement=True, nullable=False),
        sa.Column("message_id", Number, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("old", sa.String(length=16), nullable=False),
        sa.Column("new", sa.String(length=16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("fault", sa.String(length=24), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("enhanced", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("tls", sa.Text(), nullable=False),
        sa.Column("report_id", Number, nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_message_event_message_id_message")),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_message_event_report_id_report")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_event")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_message_event_message_id"), "message_event", ["message_id"], unique=False)
    op.create_table(
        "correction",
        sa.Column("id", Number, autoincrement=True, nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("message_id", Number, nullable=False),
        sa.Column("event_id", Number, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("fault", sa.String(length=24), nullable=False),
        sa.Column("changes", Document, nullable=False),
        sa.Column("undone_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["event_id"], ["message_event.id"], name=op.f("fk_correction_event_id_message_event")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_correction_message_id_message")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
    )
    op.create_index(op.f("ix_correction_event_id"), "correction", ["event_id"], unique=False)
    op.create_index(op.f("ix_correction_message_id"), "correction", ["message_id"], unique=False)
    op.create_index(op.f("ix_correction_run"), "correction", ["run"], unique=False)
