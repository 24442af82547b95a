"""Where messages go: the command and the webhook."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from qsuper.config import Config, redact_url
from qsuper.roles.alerts.errand import Errand
from qsuper.roles.alerts.message import Message


@dataclass(frozen=True, slots=True)
class Destination:
    """Both are a process that gets the message on its standard input."""

    name: str
    """`command` or `webhook`."""
    shown: str
    """For people: without the secrets of a URL."""
    argv: tuple[str, ...]
    cwd: str
    stdin: Callable[[Message], bytes]
    timeout: float
    ours: bool = False
    """Whether the program is a part of qsuper."""

    def send(self, message: Message, now: float) -> Errand:
        """Begin to deliver it; raises `QsuperError` when that cannot be begun."""
        stdin = self.stdin(message)
        return Errand(self.argv, self.cwd, stdin, now + self.timeout, ours=self.ours)


def destinations(config: Config) -> Iterator[Destination]:
    """Those that are configured."""
    alerts = config.alerts
    if alerts.command is not None:
        shown, encoded = " ".join(alerts.command), Message.encoded
        yield Destination("command", shown, alerts.command, config.folder, encoded, alerts.timeout)
    if alerts.webhook is not None:
        url, timeout = alerts.webhook, alerts.timeout

        def given(message: Message) -> bytes:
            # Not as an argument: a URL may be a secret, and arguments are everybody's to see.
            body = message.encoded().decode()
            return msgspec.json.encode({"url": url, "timeout": timeout, "body": body})

        argv = (sys.executable, "-I", str(Path(__file__).absolute().with_name("posting.py")))
        yield Destination("webhook", _site(url), argv, config.folder, given, timeout, ours=True)


def _site(url: str) -> str:
    """Scheme and host: the path of a chat's webhook is its password."""
    return "/".join(redact_url(url).split("/", 3)[:3])
