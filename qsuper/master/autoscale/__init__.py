"""Workers that follow the backlog: what is seen becomes decisions, which the master carries out."""

from qsuper.master.autoscale.autoscaler import Autoscaler

__all__ = ["Autoscaler"]
