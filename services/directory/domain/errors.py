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


class CredentialNotFoundError(Exception):
    """The workspace has no credential of that id."""

    reason = "NOT_FOUND"
    message = "The workspace has no such credential."
    fields: Mapping[str, str] = {"resource": "credential"}


class UserNotFoundError(Exception):
    """The workspace has no user with that e-mail."""

    reason = "NOT_FOUND"
    message = "The workspace has no such user."
    fields: Mapping[str, str] = {"resource": "user"}


class TooManyTokensError(Exception):
    """A workspace has at most three telecrm tokens of each type."""

    reason = "STATE_CONFLICT"
    message = "The workspace has three tokens of this type already; delete one first."
    fields: Mapping[str, str] = {"resource": "credential"}


class UserExistsError(Exception):
    """Someone in the workspace has that e-mail."""

    reason = "STATE_CONFLICT"
    message = "The workspace has a user with this e-mail already."
    fields: Mapping[str, str] = {"resource": "user"}


class NoSeatError(Exception):
    """All seats of the workspace are taken."""

    reason = "STATE_CONFLICT"
    message = "All seats of the workspace are taken; remove a user first."
    fields: Mapping[str, str] = {"resource": "user"}


class IdentifierTakenError(Exception):
    """Another contact of the workspace has that identifier."""

    reason = "STATE_CONFLICT"
    message = "Another contact of the workspace has this identifier."
    fields: Mapping[str, str] = {"resource": "contact"}


class ValueRefusedError(Exception):
    """A value does not fit the field that it was given for; `problem` says what would."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(field)
        self.field = field
        self.problem = problem
