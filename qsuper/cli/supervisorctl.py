"""Two words more for supervisorctl: `scale` and `qstatus`, which are verbs of this command line.

Loaded by supervisorctl alone, which `[ctlplugin:qsuper]` tells of it (docs/deploy.md).
"""

import shlex

from supervisor.supervisorctl import ControllerPluginBase

from qsuper.cli import main


class Plugin(ControllerPluginBase):  # type: ignore[misc] # supervisor has no types
    """Speaks to the master's control socket, as the verbs do; supervisord has no part in it."""

    name = "qsuper"

    def __init__(self, controller: object, config: str | None) -> None:
        super().__init__(controller)
        self._before = () if config is None else ("--config", config)

    def do_scale(self, args: str) -> None:
        """scale [QUEUE=]WORKERS\tHave so many workers from now on: 10, mail=4, +2, mail=auto."""
        self._run("scale", args)

    def do_qstatus(self, args: str) -> None:
        """qstatus\t\t\tShow the master, its children and the queues."""
        self._run("status", args)

    def _run(self, verb: str, args: str) -> None:
        try:
            words = shlex.split(args)
        except ValueError as error:
            self.ctl.output(f"{verb}: {error}")
            self.ctl.exitstatus = 2
            return
        if code := main([*self._before, verb, *words]):
            self.ctl.exitstatus = code


def make_plugin(controller: object, config: str | None = None) -> Plugin:
    """supervisorctl's way to it; `config` is the path of `qsuper.toml`."""
    return Plugin(controller, config)
