"""The tasks of a small shop. `qsuper.toml` names this module; workers import it."""
# ruff: noqa: INP001 (a folder of programs, no package)

import csv
import os
import smtplib
import zlib
from email.message import EmailMessage
from pathlib import Path

from qsuper import Queue

SMTP_HOST, _, SMTP_PORT = os.environ.get("MAILING_SMTP", "127.0.0.1:8025").rpartition(":")

queue = Queue()


@queue.task(timeout=30, max_attempts=5)
def send_mail(message_id: str, to: str, subject: str, text: str) -> None:
    """Send one mail. A mail that is sent twice has the same Message-ID twice: at least once."""
    mail = EmailMessage()
    mail["Message-ID"] = f"<{message_id}>"
    mail["From"] = "shop@shop.example"
    mail["To"] = to
    mail["Subject"] = subject
    mail.set_content(text)
    with smtplib.SMTP(SMTP_HOST, int(SMTP_PORT), timeout=10) as server:
        server.send_message(mail)


@queue.task
def group_message(uid: int, uids: list[int], content: str) -> None:
    """One mail to each of `uids`, from `uid`: a job that becomes as many jobs, all or none."""
    people = _people()
    digest = zlib.crc32(content.encode())
    mails = [
        {
            "message_id": f"group.{uid}.{receiver}.{digest:08x}@shop.example",
            "to": people[receiver]["email"],
            "subject": f"A message from {people[uid]['name']}",
            "text": content,
        }
        for receiver in uids
    ]
    queue.add_many("send_mail", mails)


def _people() -> dict[int, dict[str, str]]:
    """Everybody, by uid. A real shop has a table for this."""
    with Path(__file__).with_name("recipients.csv").open(encoding="utf-8", newline="") as file:
        return {int(row["uid"]): row for row in csv.DictReader(file)}
