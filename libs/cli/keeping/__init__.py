"""A hub's data as a whole: taken from SQLite to PostgreSQL, backed up, restored."""
