"""The shop's tasks. `qsuper.toml` names this module; workers import it."""

import sqlite3
from contextlib import closing

from qsuper import Discard, Queue

from shop import mail

queue = Queue()

TABLES = """
    CREATE TABLE orders (sn TEXT PRIMARY KEY, email TEXT, status TEXT);
    CREATE TABLE payments (payment TEXT PRIMARY KEY, sn TEXT)
"""


def connect() -> sqlite3.Connection:
    """The shop keeps its tables beside the queue's: so can one transaction hold both."""
    return sqlite3.connect(queue.config.store.url.removeprefix("sqlite:///"), timeout=10)


@queue.task(max_attempts=3, backoff=60, no_retry=mail.BadAddress)
def send_mail(to: str, subject: str) -> None:
    """A mail server may be down for a while: three attempts, the second after a minute."""
    mail.deliver(to, subject)


def place_order(sn: str, email: str) -> None:
    """The order and the timer that cancels it if it is not paid: both are there, or neither."""
    with closing(connect()) as db, db:
        db.execute("INSERT INTO orders VALUES (?, ?, 'unpaid')", (sn, email))
        queue.timer(f"order:{sn}", 30 * 60, "cancel_unpaid", {"sn": sn}, connection=db)


@queue.task
def cancel_unpaid(sn: str) -> None:
    """The UPDATE decides: what was paid a moment ago stays."""
    with closing(connect()) as db, db:
        db.execute(
            "UPDATE orders SET status = 'cancelled' WHERE sn = ? AND status = 'unpaid'", (sn,)
        )


@queue.task(transactional=True)
def book_payment(payment: str, sn: str, connection: sqlite3.Connection) -> None:
    """The order, the receipt's job and the payment are written with this job's end, or not at all.

    A payment that is booked already is refused by the table: nothing of the second one is left.
    """
    booked = connection.execute(
        "UPDATE orders SET status = 'paid' WHERE sn = ? AND status = 'unpaid'", (sn,)
    )
    if not booked.rowcount:
        raise Discard(f"{sn} is no order that waits for money")
    ((email,),) = connection.execute("SELECT email FROM orders WHERE sn = ?", (sn,))
    queue.add("send_mail", {"to": email, "subject": f"Thank you for {sn}"})
    connection.execute("INSERT INTO payments VALUES (?, ?)", (payment, sn))


@queue.schedule("0 6 * * mon-fri", timezone="Europe/Berlin")
@queue.task
def send_report() -> None:
    """Every working day at six: how many orders nobody has paid yet."""
    with closing(connect()) as db:
        ((unpaid,),) = db.execute("SELECT COUNT(*) FROM orders WHERE status = 'unpaid'")
    send_mail.add(to="chief@shop.example", subject=f"{unpaid} unpaid orders")
