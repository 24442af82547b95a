"""What the board says of the whole node, and of each of its queues."""

from qsuper.scoreboard.fields import Float, Int, Part, Text


class Header(Part):
    """What holds for the whole node. Written by the master but where said otherwise."""

    master_pid = Int(8)
    master_ticks = Int(16)
    """Start time of the master in clock ticks since boot: pid and this name one process."""
    started = Float(24)
    """Unix time."""
    nonce = Text(32, 32)
    node = Text(64, 64)
    boot_id = Text(128, 64)
    lease = Float(192)
    """Seconds a lease lasts."""
    renewed = Float(200)
    """`clock()` just before the last successful renewal was sent; by any child that beats."""
    alone = Int(208)
    """1 when no other node was alive at the last renewal; by any child that beats."""
    paused = Int(216)
    """1 while this node begins nothing."""
    stopping = Int(224)
    queues = Int(232)
    """How many queue records are in use."""
    rows = Int(240)
    """How many child records have ever been in use: readers look no further."""
    looked = Float(248)
    """`clock()` of the scheduler's last look: while it is fresh, workers need not look."""
    moving = Int(256)
    """Odd while the counts of a process that has ended are moved; by the master."""


class QueueRecord(Part):
    """One queue of this node."""

    name = Text(0, 64)
    wanted = Int(64)
    """Workers the master wants; by the master."""
    first = Int(72)
    """The first slice index of this node; by the scheduler."""
    total = Int(80)
    """Workers of this queue over all live nodes; by the scheduler."""
    paused = Int(88)
    """1 while the queue is paused on every node; by the scheduler."""
    wake_read = Int(96)
    """Read end of the wake pipe, as inherited over the fork; by the master."""
    wake_write = Int(104)
    everyone_at = Float(112)
    """`clock()` of the last claim of this node that ignored the slices; by the workers."""
