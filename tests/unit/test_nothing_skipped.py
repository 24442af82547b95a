import pytest

pytest_plugins = ["pytester"]

PASSES = "def test_passes(): pass\n"


def run(pytester: pytest.Pytester, body: str, *arguments: str) -> tuple[int, str]:
    """Run a suite of one file under the census; return its exit status and its last line."""
    pytester.makepyfile("import pytest\n" + PASSES + body)
    result = pytester.runpytest_inprocess("-p", "tests.nothing_skipped", *arguments)
    return int(result.ret), result.outlines[-1]


def test_a_run_in_which_everything_passes_says_so_last(pytester: pytest.Pytester) -> None:
    assert run(pytester, "def test_too(): pass") == (0, "2 collected, 2 passed, nothing skipped")


@pytest.mark.parametrize(
    "body",
    [
        "def test_left_out(): pytest.skip('no server')",
        "@pytest.mark.skip\ndef test_left_out(): pass",
        "@pytest.mark.xfail\ndef test_left_out(): assert False",
        "@pytest.mark.xfail\ndef test_left_out(): pass",
    ],
)
def test_a_test_that_proves_nothing_fails_the_run(pytester: pytest.Pytester, body: str) -> None:
    status, last = run(pytester, body)
    assert status == 1
    assert "2 collected, 1 passed; the run fails: 1 skipped" in last
    assert "test_left_out" in last


def test_a_module_that_skips_itself_fails_the_run(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_other="import pytest\npytest.importorskip('no_such_module')")
    status, last = run(pytester, "")
    assert status == 1
    assert "1 collected, 1 passed; the run fails: 1 skipped" in last


def test_choosing_tests_is_allowed_unless_the_whole_suite_was_asked_for(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("QSUPER_TEST_WHOLE", raising=False)
    body = "def test_too(): pass"
    assert run(pytester, body, "-k", "passes") == (0, "1 collected, 1 passed, nothing skipped")
    monkeypatch.setenv("QSUPER_TEST_WHOLE", "1")
    status, last = run(pytester, body, "-k", "passes")
    assert status == 1
    assert "deselected" in last


def test_a_failing_test_fails_the_run_and_is_counted(pytester: pytest.Pytester) -> None:
    status, last = run(pytester, "def test_fails(): assert False")
    assert (status, last) == (1, "2 collected, 1 passed; the run fails: 1 did not pass")
