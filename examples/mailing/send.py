#!/usr/bin/env python3
"""Enqueues the whole mailing: one job for each message and recipient. Run it beside qsuper.toml.

It could as well be PHP: a job is a row. This program does not import the tasks, it names them.
"""

import csv
import json
from pathlib import Path

from qsuper import Queue

HERE = Path(__file__).parent


def main() -> None:
    queue = Queue()
    with (HERE / "recipients.csv").open(encoding="utf-8", newline="") as file:
        people = list(csv.DictReader(file))
    total = 0
    for message in json.loads((HERE / "messages.json").read_text(encoding="utf-8")):
        mails = [
            {
                "message_id": f"{message['id']}.{person['uid']}@shop.example",
                "to": person["email"],
                "subject": message["subject"],
                "text": message["text"].format(name=person["name"]),
            }
            for person in people
            if message["list"] in person["lists"].split()
        ]
        # All of a message or none of it, should this program be ended here.
        total += queue.add_many("send_mail", mails, priority=message["priority"])
    print(f"{total:,} mails enqueued")


if __name__ == "__main__":
    main()
