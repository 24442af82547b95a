"""Rows as somebody writes them who wants the reader's browser to work for him."""

import json
from typing import Any

from tests.web.dashboard import Dashboard

MARK = "window.stolen = (window.stolen || 0) + 1"
"""What each of them wants to run."""
SCRIPT = f"<script>{MARK}</script>"
IMAGE = f"<img src=x onerror='{MARK}'>"
BREAKOUT = f'"\'></textarea></title></pre><svg onload="{MARK}">'
LINK = f"javascript:{MARK}"
PRODUCT = "49660049"
TEMPLATE = "{{ 7919 * 6271 }}${7919 * 6271}"
"""Would be `PRODUCT` if a template were made of it."""
TURNED = "\u202egnp.exe\x1b[2J\x07"
ALL = f"{SCRIPT}{IMAGE}{BREAKOUT}{LINK}{TEMPLATE}{TURNED}"
LONG = "w" * 150

TASK = f"<b>task</b>{IMAGE}{LONG}"[:190]


def fill(dashboard: Dashboard) -> list[int]:
    """Jobs, timers, keys, schedules and nodes of that kind; the ids of jobs worth a look."""
    hostile = {"task": TASK, "queue": f"q{IMAGE}"[:64], "name": f"n{BREAKOUT}{TURNED}"}
    watch = {"watch": {"how": f"presumed{IMAGE}", "db": 0, "deadline": 1_700_000_000.0}}
    columns: dict[str, Any] = {
        "headers": json.dumps(watch),
        "param": json.dumps({"a": ALL, SCRIPT: [ALL]}),
        "result": json.dumps({"r": ALL}),
        "progress": f"0.5 {ALL}"[:250],
        "worker": f"w{IMAGE}"[:64],
        "held_by": f"h{IMAGE}"[:190],
        "state": ALL,
    }
    ids = []
    for number, status in enumerate((0, 3, 4, 5, 6, 1), 1):
        row = {**columns, **hostile, "name": f"{hostile['name']}{number}", "status": status}
        row |= {"id": number, "run_at": "2037-01-01 00:00:00.000", "claims": 1}
        _insert(dashboard, "queue", row)
        ids.append(number)
    plain = {"id": 7, "task": "charge", "param": ALL, "status": 3, "claims": 1, "queue": "mail"}
    _insert(dashboard, "queue", plain)
    for number in (2, 5, 7):
        past = {"job_id": number, "claims": 1, "attempt": 1, "outcome": "dead", "node": IMAGE[:64]}
        past |= {"error": f"Error: {ALL}", "traceback": f"Trace\n{ALL}\n{LONG * 3}", "output": ALL}
        _insert(dashboard, "attempts", past)
    for number, state in enumerate((0, 1)):
        key = {"db": number, "name_hash": bytes([number]) * 32, "name": f"k{ALL}".encode()}
        key |= {"value": ALL.encode(), "state": state, "deadline": 1_700_000_000_000}
        key |= {"kind": "string", "fired": 1_700_000_000_000 if state else None}
        _insert(dashboard, "watched_keys", key)
    definition = json.dumps({"cron": "0 3 * * *", "timezone": "UTC", "task": f"t{ALL}"})
    _insert(dashboard, "schedules", {"name": f"s{ALL}"[:190], "definition": definition})
    strange = {"cron": IMAGE, "timezone": IMAGE, "task": ALL}
    _insert(dashboard, "schedules", {"name": "strange", "definition": json.dumps(strange)})
    node = {"id": f"i{IMAGE}"[:64], "host": f"h{ALL}"[:255], "boot": "b"}
    _insert(dashboard, "nodes", {**node, "workers": json.dumps({f"q{ALL}": 3})})
    return [*ids, 7]


def _insert(dashboard: Dashboard, table: str, row: dict[str, Any]) -> None:
    names = ", ".join(row)
    bound = ", ".join(f":{name}" for name in row)
    dashboard.rows.run(f"INSERT INTO {table} ({names}) VALUES ({bound})", **row)
