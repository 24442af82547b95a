"""The pages. A further page is one file here, one template, and one line in `PAGES`."""

from qsuper.roles.web.page import Page
from qsuper.roles.web.pages import (
    bulk,
    dead,
    job,
    jobs,
    nodes,
    overview,
    queues,
    schedules,
    timers,
    workers,
)

PAGES: tuple[Page, ...] = (
    Page("/", "Overview", "overview.html", overview.load, stored=False),
    Page("/queues", "Queues", "queues.html", queues.load, stored=False),
    Page("/workers", "Workers", "workers.html", workers.load, stored=False),
    Page("/jobs", "Jobs", "jobs.html", jobs.load),
    Page("/jobs/{id:job}", "", "job.html", job.load),
    Page("/timers", "Timers", "timers.html", timers.load),
    Page("/schedules", "Schedules", "schedules.html", schedules.load),
    Page("/dead", "Dead", "dead.html", dead.load),
    Page("/bulk", "", "bulk.html", bulk.load),
    Page("/nodes", "Nodes", "nodes.html", nodes.load),
)
"""In the order of the navigation."""
