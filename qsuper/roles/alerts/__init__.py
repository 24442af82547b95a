"""Tells a command or a webhook what is wrong, once when it begins and once when it is over."""

from qsuper.roles.alerts.alerts import Alerts

__all__ = ["Alerts"]
