"""A source that would be read for ever."""


def objection(
    *, asked: str, follows: str | None, fingerprint: bytes, fingerprint_before: bytes, pages: int, most: int
) -> str | None:
    """Say why reading must stop behind this page, which `follows` says is not the last. None: it need not.

    `pages` counts this one.
    """
    if follows is None:
        return None
    if follows == asked:
        return "The source is stuck: the page that follows is the same page again."
    if fingerprint == fingerprint_before:
        return f"The source is stuck: page {pages} is the same as the one before, and it says that there are more."
    if pages >= most:
        return f"The source is stuck, or larger than max_pages allows: after {pages} pages it says that there are more."
    return None
