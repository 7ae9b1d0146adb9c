"""Bodies as they come."""

from collections.abc import Mapping

from libs.json import UnfitJsonError, parse
from services.directory.domain.telecrm.refusals import BadRequestError, Violation

_NOT_JSON = "The body is not valid JSON"


def read_object(body: bytes, *, may_be_empty: bool = False) -> Mapping[str, object]:
    """The JSON object that the body is. Raises BadRequestError."""
    if may_be_empty and not body.strip():
        return {}
    try:
        tree = parse(body).tree
    except UnfitJsonError as unfit:
        violations = [Violation(fault.pointer, fault.message) for fault in unfit.faults]
        raise BadRequestError(_NOT_JSON, violations) from None
    if not isinstance(tree, dict):
        raise BadRequestError("The body must be a JSON object")
    return tree
