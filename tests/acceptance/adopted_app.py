"""The application of a shop that has moved: the old program's work under the old program's name."""

from pathlib import Path

from qsuper import Queue

queue = Queue()


@queue.task(name="send_msg.php", codec="query")
def send_msg(n: str, uids: list[str]) -> None:
    """Leave a line for each message."""
    with Path("sent").open("a") as file:
        file.write(f"{n} {' '.join(uids)}\n")
