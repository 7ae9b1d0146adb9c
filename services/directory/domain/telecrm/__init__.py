"""The rules of the telecrm APIs: what fields may hold, what is remarked, what is refused. Decisions without I/O."""
