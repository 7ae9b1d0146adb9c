"""What counts as success at a destination that has words of its own for it."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SuccessRule:
    """When an answer says that the parcel arrived."""

    statuses: tuple[int, ...] = ()
    """The HTTP statuses that may mean success. Empty: every 2xx."""
    body_field: str = ""
    """A field of the answer's JSON, parts of the path separated by dots. Empty: the body is not asked."""
    body_equals: str = ""
    """What the field must hold, in JSON, a text also without quotes. Empty: anything but null, false, 0, ""."""

    def takes_status(self, status: int) -> bool:
        """Whether the status may mean success."""
        return status in self.statuses if self.statuses else 200 <= status < 300

    def takes_body(self, body: bytes) -> bool:
        """Whether the body agrees; one that is no JSON does not, where the rule asks for a field."""
        if not self.body_field:
            return True
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            return False
        for name in self.body_field.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return self._agrees(value)

    def _agrees(self, value: object) -> bool:
        if not self.body_equals:
            return bool(value)
        return value == self.body_equals or json.dumps(value, ensure_ascii=False) == self.body_equals


ANY_2XX = SuccessRule()
