"""The peer of `contactsync bench import`: the same import API as one FastAPI process over SQLite.

`python -m tests.bench.monolith --port P --data DIR --sink URL`. Written as a good engineer writes such a service, and
tuned: uvloop, orjson, SQLAlchemy Core, one writing connection with WAL and synchronous=FULL, one transaction before the
202; due chunks are claimed together, posted side by side and recorded together. As durable as the hub: job, rows,
chunks and the stored answer are on disk before the 202, and a chunk is sent again until it is recorded as sent.
"""
