"""What the console says, in English and in Russian."""

from services.console.words import (
    clients,
    dead_letters,
    destinations,
    entry,
    forms,
    imports,
    overview,
    shell,
    sources,
    states,
)
from services.console.words.speaking import Language, Speaker, Word, choose_language

WORDS = {
    **shell.WORDS,
    **entry.WORDS,
    **states.WORDS,
    **overview.WORDS,
    **imports.WORDS,
    **forms.WORDS,
    **destinations.WORDS,
    **dead_letters.WORDS,
    **sources.WORDS,
    **clients.WORDS,
}
"""Every word by its key; each page has a file of its own."""

__all__ = ["WORDS", "Language", "Speaker", "Word", "choose_language"]
