"""Every metric of `/metrics`."""

from qsuper.roles.web.metrics import METRICS
from reference.markdown import code, page, table


def render() -> str:
    return page(
        "Metrics",
        "What `/metrics` of the dashboard's port tells Prometheus, of the node that is asked.",
        table(
            ("metric", "kind", "labels", "meaning"),
            [
                (code(one.name), one.kind, ", ".join(map(code, one.labels)), one.help)
                for one in METRICS
            ],
        ),
        "How it is switched on and scraped: [metrics and health](../metrics.md).",
    )
