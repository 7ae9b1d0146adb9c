"""The services: one package and one process each."""

from libs.lean import without

# Tracebacks for people at a terminal, which a log of JSON lines never needs, cost a process 3 MB and 0.1 s.
with without("rich", "better_exceptions"):
    import structlog  # every later import finds it as it is here

__all__ = ["structlog"]
