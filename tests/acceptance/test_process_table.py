"""The look at the process table finds what there is."""

import os
import subprocess

from tests.acceptance import process_table


def test_a_program_of_a_run_is_found_until_it_ends() -> None:
    program = subprocess.Popen(["sleep", "600"], env={**os.environ, process_table.TAG: "some-run"})
    try:
        found = process_table.tagged("some-run")
        assert [process.pid for process in found] == [program.pid]
        assert found <= process_table.family(os.getpid())
        assert process_table.living(found) == found
        assert not process_table.tagged("another-run")
    finally:
        program.kill()
    os.waitid(os.P_PID, program.pid, os.WEXITED | os.WNOWAIT)
    assert not process_table.living(found), "what waits to be reaped is dead"
    program.wait()
    assert not process_table.living(found)
    assert not process_table.tagged("some-run")
