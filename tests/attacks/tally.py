"""Counts, by the outcomes of a run, how many attacks were refused; a pytest plugin, registered in tests/conftest.py.

An attack is refused as expected when at least one test that is marked with it passed and none failed. Where the whole
suite ran, or all of ``-m attack``, the run ends with that number, and is a failure when it is not all of them.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import pytest

from tests.attacks.catalogue import IDS

MARKER = "attack"


class Tally:
    """What became of the tests of each attack."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._outcomes: dict[str, set[str]] = defaultdict(set)

    @pytest.hookimpl
    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        for item in items:
            named = sorted({name for mark in item.iter_markers(MARKER) for name in mark.args})
            unknown = [name for name in named if name not in IDS]
            if unknown:
                raise pytest.UsageError(f"{item.nodeid} names attacks that are not in the catalogue: {unknown}")
            if named:
                item.user_properties.append((MARKER, named))  # which a worker of xdist sends along

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or not report.passed:
            for name, attacks in report.user_properties:
                for attack in attacks if name == MARKER else ():
                    self._outcomes[attack].add(report.outcome)

    @property
    def refused(self) -> Sequence[str]:
        return [attack for attack in IDS if self._outcomes[attack] == {"passed"}]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        missing = [attack for attack in IDS if attack not in self.refused]
        if self._is_whole() and missing and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        yield
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and self._is_whole():
            if missing:
                reporter.write_line(f"not refused as expected: {', '.join(missing)}")
            reporter.write_line(f"{len(self.refused)} of {len(IDS)} attacks refused as expected")

    def _is_whole(self) -> bool:
        """Whether all tests of attacks were asked for; a run of a few files, or by name, says nothing about the rest."""
        option = self._config.option
        is_worker = hasattr(self._config, "workerinput")
        asked_for_all = self._config.args_source is pytest.Config.ArgsSource.TESTPATHS and not option.keyword
        return not is_worker and asked_for_all and option.markexpr in ("", MARKER) and not option.collectonly
