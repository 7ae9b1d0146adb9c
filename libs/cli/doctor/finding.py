"""What doctor says of one thing."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what was seen, what to do when it is not well, and whether it is."""

    check: str
    seen: str
    remedy: str = ""
    well: bool = field(default=True, kw_only=True)
