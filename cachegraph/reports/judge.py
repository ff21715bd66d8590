"""What becomes of each finding: its severity by the project's settings, and whether it is ignored or known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from cachegraph.reports.baseline import Baseline
from cachegraph.reports.settings import Setting
from cachegraph.text.rules import Severity
from cachegraph.text.words import plural

__all__ = ["Decision", "Judge"]

Standing = Literal["new", "known", "ignored"]


class Decision(NamedTuple):
    """What becomes of a finding.

    Attributes
    ----------
    severity : {"error", "warning", "note"}
        Its own, or the one that the settings give it.
    standing : {"new", "known", "ignored"}
        new: it counts. known: the baseline holds it, so it is told and fails nothing. ignored: it is only counted.
    """

    severity: Severity
    standing: Standing


@dataclass(slots=True)
class _Use:
    """How often a setting was used."""

    count: int = 0


class Judge:
    """Decides on findings, one after the other, and remembers what to say of it.

    Parameters
    ----------
    settings : sequence of Setting
        The first that fits counts; one that has expired fits nothing.
    ignored : collection of str
        Codes that the command line ignores.
    baseline : Baseline, optional
    today : datetime.date, optional
        By default the current day.

    Examples
    --------
    >>> judge = Judge(ignored=["CG105"])
    >>> judge.decide("CG105", "note", "app:cache", lambda: "")
    Decision(severity='note', standing='ignored')
    >>> judge.remarks()
    ['1 finding is ignored: 1 CG105 (--ignore).']
    """

    def __init__(
        self,
        settings: Sequence[Setting] = (),
        ignored: Collection[str] = (),
        baseline: Baseline | None = None,
        today: date | None = None,
    ) -> None:
        self._ignored = frozenset(ignored)
        self._baseline = baseline
        today = today or date.today()
        self._current = [setting for setting in settings if not setting.expired(today)]
        self._expired = [(setting, _Use()) for setting in settings if setting.expired(today)]
        self._counts: Counter[tuple[str, str]] = Counter()
        self._changed: Counter[tuple[str, Severity, str]] = Counter()
        self._known = 0

    @property
    def idle(self) -> bool:
        """Whether there is nothing to decide by."""
        return not (self._ignored or self._baseline or self._current or self._expired)

    def decide(self, code: str, severity: Severity, where: str, fingerprint: Callable[[], str]) -> Decision:
        """Decide on a finding.

        Parameters
        ----------
        code : str
        severity : {"error", "warning", "note"}
            Its own.
        where : str
            The source or file that it is about, for the patterns of the settings.
        fingerprint : callable
            Makes its fingerprint; called only where a baseline needs it.
        """
        if code in self._ignored:
            self._counts[code, "--ignore"] += 1
            return Decision(severity, "ignored")
        for setting, use in self._expired:
            use.count += setting.fits(code, where)
        fitting = next((one for one in self._current if one.fits(code, where)), None)
        if fitting is not None:
            if fitting.severity == "ignore":
                self._counts[code, _told(fitting)] += 1
                return Decision(severity, "ignored")
            if fitting.severity != severity:
                self._changed[code, fitting.severity, _told(fitting)] += 1
            severity = fitting.severity
        if self._baseline is not None and self._baseline.takes(fingerprint(), severity):
            self._known += 1
            return Decision(severity, "known")
        return Decision(severity, "new")

    def remarks(self, sources: Iterable[str] = ()) -> list[str]:
        """Say what was left out or changed, a sentence each.

        Parameters
        ----------
        sources : iterable of str
            What was looked at, as a baseline names it: of others it is not known whether their findings are gone.
        """
        return list(self._remarks(frozenset(sources)))

    def _remarks(self, sources: frozenset[str]) -> Iterator[str]:
        if total := self._counts.total():
            each = ", ".join(f"{count:,} {code} ({why})" for (code, why), count in self._counts.items())
            yield f"{plural(total, 'finding')} {'is' if total == 1 else 'are'} ignored: {each}."
        for (code, severity, why), count in self._changed.items():
            yield f"{plural(count, 'finding')} of {code} count{'s' if count == 1 else ''} as {severity} ({why})."
        for setting, use in self._expired:
            now = (
                f"{plural(use.count, 'finding')} {_again(use.count)}" if use.count else "it fits no finding: remove it"
            )
            yield f"The rule for {setting.code} expired on {setting.expires} ({_told(setting)}): {now}."
        if self._baseline is None:
            return
        if self._known:
            fails = "is in {} and fails nothing" if self._known == 1 else "are in {} and fail nothing"
            yield f"{plural(self._known, 'finding')} {fails.format(f'the baseline {self._baseline.name}')}."
        if gone := self._baseline.gone(sources):
            gone_ = "is no longer found" if gone == 1 else "are no longer found"
            yield f"{plural(gone, 'finding')} of the baseline {gone_}: --write-baseline drops {_them(gone)}."


def _again(count: int) -> str:
    return "counts again" if count == 1 else "count again"


def _them(count: int) -> str:
    return "it" if count == 1 else "them"


def _told(setting: Setting) -> str:
    until = f", until {setting.expires}" if setting.expires else ""
    return f"{setting.origin}{f': {setting.reason}' if setting.reason else ''}{until}"
