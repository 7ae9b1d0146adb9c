"""``contactsync destinations``: where contacts go."""

from libs.cli.destinations import attempts, command, dead_letters, replays

app = command.app
app.command("dead-letters")(dead_letters.dead_letters)
app.command("discard")(dead_letters.discard)
app.command("resolve")(dead_letters.resolve)
app.command("attempts")(attempts.attempts)
app.command("replay")(replays.replay)
app.command("replays")(replays.replays)

__all__ = ["app"]
