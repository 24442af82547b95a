"""`qsuper doctor`."""

import click

from qsuper.cli.doctor.examination import examine
from qsuper.cli.doctor.finding import Level, refused
from qsuper.cli.doctor.report import Findings, count, draw, to_plain
from qsuper.cli.printing import terminal_width, to_json
from qsuper.cli.settings import Settings, pass_settings
from qsuper.errors import ConfigError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@pass_settings
def doctor(settings: Settings, as_json: bool) -> int:
    """Look for what will go wrong one day: settings, rights, limits, clocks, what keeps it alive.

    Each finding says what mends it. Nothing is started, made or changed; what does not answer
    within 20 seconds is a finding, too. Exit code 1 when something is bad.
    """
    findings: Findings
    try:
        findings = list(examine(settings.config()))
    except ConfigError as error:
        findings = [("config", refused(error))]
    if as_json:
        click.echo(to_json(to_plain(findings)))
    else:
        for line in draw(findings, terminal_width()):
            click.echo(line)
    return 1 if count(findings, Level.BAD) else 0
