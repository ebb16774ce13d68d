"""What alembic runs: every step on the connection that `migrate` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from engine.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
