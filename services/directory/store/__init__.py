"""Where the book lies: in memory, or in SQLite or PostgreSQL."""
