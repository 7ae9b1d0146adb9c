"""What a caller of the book may be told."""

from collections.abc import Mapping

from services.directory.domain.contact import ContactId, WorkspaceId


class ContactNotFoundError(Exception):
    """There is no such contact, or it was deleted: the two look alike."""

    reason = "NOT_FOUND"
    message = "There is no such contact."
    fields: Mapping[str, str] = {"resource": "contact"}

    def __init__(self, contact_id: ContactId) -> None:
        super().__init__(contact_id)
        self.contact_id = contact_id


class WorkspaceNotFoundError(Exception):
    """There is no such workspace."""

    reason = "NOT_FOUND"
    message = "There is no such workspace."
    fields: Mapping[str, str] = {"resource": "workspace"}

    def __init__(self, workspace_id: WorkspaceId) -> None:
        super().__init__(workspace_id)
        self.workspace_id = workspace_id
