"""What an application uses: declare tasks, enqueue jobs, ask how they are."""

from qsuper.client.handles import JobHandle, TaskHandle
from qsuper.client.options import Options, RunOptions
from qsuper.client.queue import Queue

__all__ = ["JobHandle", "Options", "Queue", "RunOptions", "TaskHandle"]
