"""What is to be sent, read independently of the program that enqueues it."""

import csv
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from qsuper.errors import QsuperError

RECIPIENTS, MESSAGES = "recipients.csv", "messages.json"


@dataclass(frozen=True)
class Mailing:
    """What must arrive."""

    priorities: Mapping[str, int]
    """By message, the most urgent first."""
    expected: Mapping[str, str]
    """Every Message-ID that must arrive, and the message it is of."""

    @cached_property
    def sizes(self) -> Counter[str]:
        """Mails by message."""
        return Counter(self.expected.values())

    def __len__(self) -> int:
        return len(self.expected)


def read(folder: Path) -> Mailing:
    """The mailing in a folder; raises `QsuperError` when its files are not as they should be."""
    try:
        with (folder / RECIPIENTS).open(encoding="utf-8", newline="") as file:
            people = [(row["uid"], row["lists"].split()) for row in csv.DictReader(file)]
        messages = json.loads((folder / MESSAGES).read_text(encoding="utf-8"))
        messages.sort(key=lambda message: message["priority"])
        priorities = {message["id"]: message["priority"] for message in messages}
        expected = {
            f"{message['id']}.{uid}@shop.example": message["id"]
            for message in messages
            for uid, lists in people
            if message["list"] in lists
        }
    except OSError as error:
        raise QsuperError(f"cannot read {error.filename}: {error.strerror}") from error
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise QsuperError(
            f"{folder} holds no mailing: {type(error).__name__}: {error}; it wants {RECIPIENTS}"
            f" (uid,name,email,lists) and {MESSAGES} (id, list, priority, subject, text)"
        ) from error
    if not expected:
        raise QsuperError(f"{folder} holds no mail to send: no recipient is on a message's list")
    return Mailing(priorities, expected)
