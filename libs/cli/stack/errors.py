"""What can keep the hub from starting, each with what to do about it."""


class CannotStart(Exception):
    """The hub cannot start; nothing was changed.

    ``what`` names the obstacle, ``remedy`` says how to go on.
    """

    def __init__(self, what: str, *, remedy: str) -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(f"{what}\n{remedy}")
