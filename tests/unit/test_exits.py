import signal

import pytest

from qsuper.exits import Exit, describe


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "exited with 0"),
        (3 << 8, "exited with 3"),
        (Exit.CANNOT_BOOT << 8, "could not boot (exit 11)"),
        (Exit.RECYCLED << 8, "made room for a fresh one (exit 10)"),
        (Exit.GAVE_UP << 8, "gave up (exit 13)"),
        (signal.SIGKILL, "killed by SIGKILL"),
        (signal.SIGSEGV | 0x80, "killed by SIGSEGV"),
        (signal.SIGRTMIN + 1, "killed by signal 35"),
    ],
)
def test_a_wait_status_is_told_in_words(status: int, words: str) -> None:
    assert describe(status) == words


def test_codes_are_distinct_and_fit_a_byte() -> None:
    assert len({code.value for code in Exit}) == len(Exit)
    assert all(0 <= code <= 127 for code in Exit)
