"""The fixtures, and the example whose tests show them: run by a pytest of their own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "shop"

CONFTEST = 'pytest_plugins = ["qsuper.testing.plugin"]\n'
TEST = """
from qsuper.testing import State, drain

def test_one(qsuper_queue):
    job = qsuper_queue.add("greet", {"name": "Ann"})
    assert [one.state for one in drain(qsuper_queue)] == [State.DONE]
    assert job.state is State.DONE

def test_two(qsuper_queue, qsuper_clock):
    job = qsuper_queue.timer("one", 60, "greet", {"name": "Bob"})
    qsuper_clock.advance("1m")
    assert [one.id for one in drain(qsuper_queue)] == [job.id]
"""
APP = """
from qsuper import Queue
queue = Queue()

@queue.task
def greet(name): ...
"""


def run_pytest(folder: Path) -> subprocess.CompletedProcess[str]:
    """As a user does, in the project's folder."""
    environment = {name: value for name, value in os.environ.items() if "QSUPER_" not in name}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env=environment | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def make_project(
    folder: Path, conftest: str = CONFTEST, config: str = 'app = "greeter:queue"\n'
) -> None:
    files = {
        "conftest.py": conftest,
        "greeter.py": APP,
        "pytest.ini": "[pytest]\nfilterwarnings = error\n",
        "qsuper.toml": config,
        "test_greeter.py": TEST,
    }
    for name, text in files.items():
        (folder / name).write_text(text)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A copy of the example."""
    folder = tmp_path / "shop"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__", "var"))
    return folder


def test_the_examples_tests_pass(shop: Path) -> None:
    done = run_pytest(shop)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert not (shop / "var").exists(), "the database of the configuration was opened"


@pytest.mark.parametrize(
    ("right", "wrong", "fails"),
    [
        ("30 * 60", "31 * 60", "test_an_order_that_is_not_paid_within_30_minutes_is_cancelled"),
        ("backoff=60", "backoff=0", "test_a_mail_is_tried_again_when_the_server_is_back"),
        ("0 6 * * mon-fri", "0 6 * * *", "test_it_is_sent_at_six_on_working_days"),
        (
            "INSERT INTO payments",
            "INSERT OR IGNORE INTO payments",
            "test_a_payment_that_cannot_be_booked_leaves_nothing_behind",
        ),
    ],
)
def test_the_examples_tests_find_a_shop_that_is_wrong(
    shop: Path, right: str, wrong: str, fails: str
) -> None:
    jobs = shop / "shop" / "jobs.py"
    text = jobs.read_text()
    assert right in text
    jobs.write_text(text.replace(right, wrong))
    done = run_pytest(shop)
    assert done.returncode == 1, done.stdout
    assert fails in done.stdout


def test_the_application_is_found_by_its_configuration(tmp_path: Path) -> None:
    make_project(tmp_path)
    done = run_pytest(tmp_path)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_the_application_and_the_database_can_be_named_in_conftest(
    tmp_path: Path, store_url: str
) -> None:
    own = f"""
import pytest

@pytest.fixture(scope="session")
def qsuper_app():
    from greeter import queue
    return queue

@pytest.fixture(scope="session")
def qsuper_url():
    return {store_url!r}
"""
    make_project(tmp_path, CONFTEST + own, "")
    for _ in range(2):
        done = run_pytest(tmp_path)
        assert done.returncode == 0, done.stdout
        assert "2 passed" in done.stdout


def test_a_project_without_an_application_is_told_what_to_define(tmp_path: Path) -> None:
    make_project(tmp_path, config="")
    done = run_pytest(tmp_path)
    assert done.returncode == 1
    assert "no app is configured here: define a fixture `qsuper_app`" in done.stdout


def test_nobody_needs_pytest_who_does_not_use_the_fixtures() -> None:
    code = "import sys, qsuper.testing; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
