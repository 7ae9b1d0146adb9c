"""What a delivery that is sent in parts remembers."""

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Nothing yet."""
