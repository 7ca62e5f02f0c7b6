"""What Alembic runs: migrations on the connection that `kb.layout` hands over, in its
transaction."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    render_as_batch=True,  # SQLite changes a table by making it anew
)
context.run_migrations()
