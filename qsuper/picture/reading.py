"""From the scoreboard to the picture."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from qsuper import processes, scoreboard
from qsuper.errors import NotRunning, ScoreboardError
from qsuper.picture.picture import Child, Job, Picture, Queue, Trouble
from qsuper.picture.totals import Decision, Due, Minute, TaskTotals, Totals, runs, waits
from qsuper.picture.trouble import troubles
from qsuper.scoreboard import (
    AWAY,
    OUTCOMES,
    PHASES,
    TIMERS,
    WATCHED,
    Reading,
    Scoreboard,
    Spread,
    no_waits,
)
from qsuper.states import ChildState

Memory = Callable[[int], int | None]


def take(state_dir: Path, *, now: float, unix: float, memory: Memory = processes.memory) -> Picture:
    """The picture of the node that runs in `state_dir`.

    `now` is the scoreboard's `clock()`, `unix` the time of day; `memory` tells the bytes of a pid
    (the kernel adds pages up for it: not for a screen that is drawn ten times a second). Raises
    `NotRunning`, or `ScoreboardError` when it cannot be told.
    """
    board = _open(state_dir / "scoreboard")
    header = board.header
    lives = header.boot_id == processes.boot_id() and processes.lives(
        header.master_pid, header.master_ticks
    )
    if not lives:
        raise NotRunning(f"not running in {state_dir}; start it with `qsuper run`")
    bulletin: dict[str, Any] = board.bulletin("master").read() or {}
    if bulletin.get("nonce", header.nonce) != header.nonce:
        # The last master's.
        bulletin = {}
    counted: dict[str, Any] = board.bulletin("keeper").read() or {}
    children = tuple(_child(entry, board, now, memory) for entry in bulletin.get("children", ()))
    picture = Picture(
        degraded=(),
        pid=header.master_pid,
        version=str(bulletin.get("version", "")),
        node=header.node,
        started=header.started,
        up=max(0.0, unix - header.started),
        paused=bool(header.paused),
        stopping=bool(header.stopping),
        lease_left=header.lease - (now - header.renewed) if header.renewed else None,
        alone=bool(header.alone),
        posted_ago=_ago(bulletin, unix),
        counted_ago=_ago(counted, unix),
        children=children,
        queues=_queues(board, children, counted),
        totals=_totals(board, bulletin),
        minute=_minute(counted),
        due=tuple(Due(**due) for due in counted.get("due", ())),
        decisions=tuple(
            Decision(one["at"], one["queue"], one["from"], one["to"], one["why"])
            for one in bulletin.get("decisions", ())
        ),
        scaled=bulletin.get("scale_remembered", {}),
    )
    messages = [
        Trouble("message", "", str(message["text"]), message["since"])
        for message in bulletin.get("messages", ())
    ]
    found = tuple(troubles(picture, messages, lease=header.lease, unix=unix))
    return replace(picture, troubles=found, degraded=tuple(trouble.text for trouble in found))


def _open(path: Path) -> Scoreboard:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        where = path.parent
        raise NotRunning(f"not running in {where}; start it with `qsuper run`") from None
    except OSError as error:
        raise ScoreboardError(f"cannot open {path}: {error.strerror}") from error
    return Scoreboard.open(path)


def _ago(bulletin: dict[str, Any], unix: float) -> float | None:
    return max(0.0, unix - bulletin["posted"]) if "posted" in bulletin else None


def _child(entry: dict[str, Any], board: Scoreboard, now: float, memory: Memory) -> Child:
    pid, slot = entry["pid"] or None, entry["slot"]
    record = board.record(slot).snapshot() if slot is not None else None
    # The record may have been given to another process since the master has posted.
    if record is None or record.pid != pid:
        record = None
    return Child(
        name=entry["name"],
        role=entry["role"],
        queue=entry["queue"],
        slice=_slice(record, board),
        state=entry["state"],
        since=entry["since"],
        phase=_phase(record),
        pid=pid,
        job=_job(record, now),
        done=record.done if record else 0,
        failed=record.failed if record else 0,
        memory=memory(pid) if pid else None,
        restarts=entry["restarts"],
        last_exit=entry["last_exit"],
        retry_in=entry["retry_in"],
        trouble=record.trouble if record else "",
        trouble_since=record.trouble_since if record else 0.0,
        away=AWAY[record.away] if record and 0 <= record.away < len(AWAY) else "",
    )


def _slice(record: scoreboard.Child | None, board: Scoreboard) -> str | None:
    if record is None or not 0 <= record.queue < board.header.queues:
        return None
    queue = board.queue(record.queue)
    return f"{queue.first + record.ordinal}/{queue.total}" if queue.total else None


def _phase(record: scoreboard.Child | None) -> str | None:
    return PHASES[record.phase] if record and 0 <= record.phase < len(PHASES) else None


def _job(record: scoreboard.Child | None, now: float) -> Job | None:
    if record is None or record.in_flight is None:
        return None
    seconds = max(0.0, now - record.began)
    overdue = bool(record.timeout) and seconds >= record.timeout
    return Job(
        record.in_flight,
        record.task,
        record.attempt,
        seconds,
        progress=record.progress if record.progress >= 0 else None,
        progress_text=record.progress_text,
        time_left=max(0.0, record.timeout - seconds) if record.timeout else None,
        ending=record.unwanted or overdue,
    )


def _queues(
    board: Scoreboard, children: tuple[Child, ...], counted: dict[str, Any]
) -> tuple[Queue, ...]:
    """Those this node works on, then those that only have rows."""
    depths = {depth["queue"]: depth for depth in counted.get("queues", ())}
    records = {record.name: record for record in board.queues()}
    found = []
    for name in [*records, *sorted(depths.keys() - records)]:
        record, depth = records.get(name), depths.get(name, {})
        running = sum(
            child.queue == name and child.state == ChildState.RUNNING for child in children
        )
        found.append(
            Queue(
                name=name,
                wanted=record.wanted if record else 0,
                running=running,
                total=record.total if record else 0,
                paused=bool(record and record.paused),
                states=depth.get("states", {}),
                oldest_ready=depth.get("oldest_ready"),
            )
        )
    return tuple(found)


def _totals(board: Scoreboard, bulletin: dict[str, Any]) -> Totals:
    counts = board.counts()
    everything = Reading()
    for reading in counts.values():
        everything.add(reading)
    ends = [sum(column) for column in zip(*_ends(everything), strict=True)]
    return Totals(
        outcomes=dict(zip(OUTCOMES, ends or [0] * len(OUTCOMES), strict=True)),
        tasks={
            name: TaskTotals(dict(zip(OUTCOMES, task.outcomes, strict=True)), runs(task.runs))
            for name, task in sorted(everything.tasks.items())
        },
        waits={
            queue.name: waits(counts[index].waits)
            for index, queue in enumerate(board.queues())
            if index in counts
        },
        lateness={
            "timers": waits(counts[TIMERS].waits),
            "watched keys": waits(counts[WATCHED].waits),
        },
        counters=everything.counters,
        exits=bulletin.get("exits", {}),
    )


def _ends(reading: Reading) -> list[list[int]]:
    return [task.outcomes for task in reading.tasks.values()]


def _minute(counted: dict[str, Any]) -> Minute:
    minute = counted.get("minute")
    if not minute:
        return Minute()
    by_queue = {name: Spread(**spread) for name, spread in minute["waits"].items()}
    waited = no_waits()
    for spread in by_queue.values():
        waited.add(spread)
    return Minute(
        seconds=minute["seconds"],
        outcomes=minute["outcomes"],
        ran=runs(Spread(**minute["runs"])),
        waited=waits(waited),
        waits={name: waits(spread) for name, spread in by_queue.items()},
    )
