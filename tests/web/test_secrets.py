"""Keys, sessions, and what is over."""

from pathlib import Path

import msgspec
import pytest

from qsuper.config import Config
from qsuper.roles.web.gate import keys
from qsuper.roles.web.gate.keys import UnfitSecret
from qsuper.roles.web.gate.revoked import MOST, REVOKED_FILE, Revoked
from qsuper.roles.web.gate.sessions import LIFE, Sessions

NOW = 1_800_000_000.0


@pytest.fixture
def sessions(tmp_path: Path) -> Sessions:
    return Sessions(b"a key", Revoked(tmp_path))


def test_a_session_is_read_as_it_was_written_until_it_is_over(sessions: Sessions) -> None:
    session = sessions.begin("ann", NOW)
    cookie = sessions.cookie(session)
    assert sessions.read(cookie, NOW) == session
    assert sessions.read(cookie, NOW + LIFE - 1) == session
    assert sessions.read(cookie, NOW + LIFE) is None


def test_what_was_sealed_for_one_thing_is_good_for_no_other(sessions: Sessions) -> None:
    raw = msgspec.json.encode(sessions.begin("", NOW))
    assert sessions.read(sessions.seal("session", raw), NOW)
    assert sessions.read(sessions.seal("said", raw), NOW) is None


def test_another_key_ends_all_sessions(sessions: Sessions, tmp_path: Path) -> None:
    cookie = sessions.cookie(sessions.begin("", NOW))
    assert Sessions(b"another key", Revoked(tmp_path)).read(cookie, NOW) is None


def test_two_processes_know_of_each_others_log_outs(tmp_path: Path) -> None:
    one, other = (Sessions(b"a key", Revoked(tmp_path)) for _ in range(2))
    session = one.begin("", NOW)
    assert not other.over(session, NOW)
    one.end(session, NOW)
    assert other.over(session, NOW)
    another = one.begin("", NOW)
    other.end(another, NOW)
    assert one.over(another, NOW)
    assert one.over(session, NOW)


def test_a_log_out_that_cannot_be_written_down_counts_in_this_process(tmp_path: Path) -> None:
    (tmp_path / REVOKED_FILE).mkdir()
    sessions = Sessions(b"a key", Revoked(tmp_path))
    session = sessions.begin("", NOW)
    assert not sessions.over(session, NOW)
    with pytest.raises(OSError, match=REVOKED_FILE):
        sessions.end(session, NOW)
    assert sessions.over(session, NOW)
    assert [path.name for path in tmp_path.iterdir()] == [REVOKED_FILE], "nothing is left behind"


def test_what_has_expired_is_not_kept(tmp_path: Path) -> None:
    revoked = Revoked(tmp_path)
    revoked.add("old", int(NOW) + 1, NOW)
    revoked.add("new", int(NOW) + 100, NOW + 2)
    kept = msgspec.json.decode((tmp_path / REVOKED_FILE).read_bytes())
    assert kept == {"new": int(NOW) + 100}
    assert (tmp_path / REVOKED_FILE).stat().st_mode & 0o777 == 0o600


def test_what_is_kept_has_a_bound(tmp_path: Path) -> None:
    many = {f"session {number}": int(NOW) + number for number in range(1, MOST + 1)}
    (tmp_path / REVOKED_FILE).write_bytes(msgspec.json.encode(many))
    revoked = Revoked(tmp_path)
    revoked.add("the last", int(NOW) + LIFE, NOW)
    kept = msgspec.json.decode((tmp_path / REVOKED_FILE).read_bytes())
    assert len(kept) == MOST
    assert "the last" in kept


def test_a_broken_file_costs_what_was_in_it_and_no_more(tmp_path: Path) -> None:
    (tmp_path / REVOKED_FILE).write_text("{")
    revoked = Revoked(tmp_path)
    assert "a" not in revoked
    revoked.add("a", int(NOW) + 1, NOW)
    assert "a" in Revoked(tmp_path)


def config(folder: Path) -> Config:
    return Config(state_dir=str(folder))


def test_secrets_are_made_once(tmp_path: Path) -> None:
    made = keys.read(config(tmp_path))
    assert keys.read(config(tmp_path)) == made
    assert len(made.token) >= 32
    assert made.token not in repr(made)
    assert [path.stat().st_mode & 0o777 for path in tmp_path.iterdir()] == [0o600, 0o600]


def test_another_token_makes_another_key(tmp_path: Path) -> None:
    before = keys.read(config(tmp_path))
    (tmp_path / keys.TOKEN_FILE).write_text("another-token-of-the-tests\n")
    after = keys.read(config(tmp_path))
    assert after.fits("another-token-of-the-tests")
    assert not after.fits(before.token)
    assert after.signing != before.signing


@pytest.mark.parametrize("text", ["", "short", "with a space in the midst", "ä" * 20])
def test_what_is_no_token_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / keys.TOKEN_FILE).write_text(text)
    with pytest.raises(UnfitSecret, match="remove it"):
        keys.read(config(tmp_path))


def test_a_secret_for_everybodys_eyes_is_refused(tmp_path: Path) -> None:
    keys.read(config(tmp_path))
    (tmp_path / keys.TOKEN_FILE).chmod(0o604)
    with pytest.raises(UnfitSecret, match="chmod 600"):
        keys.read(config(tmp_path))


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnfitSecret, match="cannot keep a secret"):
        keys.read(config(tmp_path / "nowhere"))
