"""Writes the migration to the tables as kb/schema.py has them.

    python make/migration.py

Raise LAYOUT in kb/schema.py first, and read what was written before you commit it.
"""

from __future__ import annotations

import sys

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from kb.layout import MIGRATIONS, bring_up
from kb.schema import LAYOUT, metadata

TEMPLATE = '''"""Say here what changes."""

import sqlalchemy as sa
from alembic import op

revision = "{layout}"
down_revision = {before}


def upgrade() -> None:
    {body}
'''


def main() -> int:
    path = MIGRATIONS / "versions" / f"layout_{LAYOUT}.py"
    if path.exists():
        sys.stderr.write(f"{path} is there already: raise LAYOUT in kb/schema.py\n")
        return 1
    path.write_text(migration(ScriptDirectory(str(MIGRATIONS)).get_current_head()))
    sys.stdout.write(f"{path}\n")
    return 0


def migration(head: str | None) -> str:
    engine = create_engine("sqlite://")
    if head is not None:
        bring_up(engine, layout=int(head))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours})
        body = render_python_code(produce_migrations(context, metadata).upgrade_ops)
    return TEMPLATE.format(layout=LAYOUT, before=head and f'"{head}"', body=body)


def ours(_object: object, name: str | None, type_: str, *_: object) -> bool:
    """Not the full-text index, which SQLAlchemy knows nothing of."""
    return type_ != "table" or not str(name).startswith("passages_te")


if __name__ == "__main__":
    sys.exit(main())
