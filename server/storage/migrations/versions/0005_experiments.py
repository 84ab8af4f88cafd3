# SPDX-License-Identifier: Apache-2.0
"""What has been decided about experiments."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "experiment_states",
        sa.Column("experiment", NAME, primary_key=True),
        sa.Column("state", NAME, nullable=False),
        sa.Column("arm", NAME, nullable=False),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("experiment_states")
