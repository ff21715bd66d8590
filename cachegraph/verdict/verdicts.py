"""The verdicts on several exports: for a notebook, a script and the command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, overload

from cachegraph.errors import MissingExtraError
from cachegraph.text.words import plural
from cachegraph.verdict.model import WORDS, Verdict
from cachegraph.verdict.words import headline, pasted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Verdicts"]

_MOST = 1000
"""Verdicts that a page holds; of more it says how many are left out, and how to get them."""


class Verdicts(Sequence[Verdict]):
    """Verdicts, in the order of the exports.

    Parameters
    ----------
    verdicts : iterable of Verdict
    """

    def __init__(self, verdicts: Iterable[Verdict]) -> None:
        self._verdicts = tuple(verdicts)

    def __len__(self) -> int:
        """Count them."""
        return len(self._verdicts)

    @overload
    def __getitem__(self, index: int) -> Verdict: ...

    @overload
    def __getitem__(self, index: slice) -> Verdicts: ...

    def __getitem__(self, index: int | slice) -> Verdict | Verdicts:
        """Give one, or a stretch of them."""
        return Verdicts(self._verdicts[index]) if isinstance(index, slice) else self._verdicts[index]

    def __repr__(self) -> str:
        """Say each in a line or two, worst causes first."""
        lines = [f"<Verdicts: {plural(len(self), 'export')}>"]
        for verdict in self:
            lines.append(f"{pasted(verdict.spec)}  {headline(verdict)}")
            lines += [f"  {cause.severity} {cause.what}" for cause in verdict.causes]
        return "\n".join(lines)

    def _repr_mimebundle_(self, **_: object) -> Mapping[str, str]:
        """Show them in a notebook: each by its short name, with its causes."""
        from cachegraph.schema.refs import short_ref
        from cachegraph.text.render import render

        rows = [
            {"verdict": one, "title": short_ref(one.spec, one.platform), "said": headline(one)} for one in self[:_MOST]
        ]
        page = render("cachegraph.verdict/verdicts.html.jinja", rows=rows, left=len(self) - len(rows))
        return {"text/plain": repr(self), "text/html": page}

    def worst_first(self) -> Verdicts:
        """Sort by word, worst cause and share; of equals the order stays."""
        return Verdicts(sorted(self, key=lambda verdict: verdict.rank))

    def counts(self) -> dict[str, int]:
        """Count the verdicts of each word, worst first; words that none has are left out."""
        found = {word: sum(verdict.word == word for verdict in self) for word in WORDS}
        return {word: count for word, count in found.items() if count}

    def to_frame(self) -> pd.DataFrame:
        """Give the verdicts as a data frame.

        Returns
        -------
        pandas.DataFrame
            A row for each export: ``export``, ``spec``, ``platform``, ``kind``, ``word``, ``cached``, ``steps``,
            ``share``, ``layers``, ``bytes``, ``presence``, ``newest_at``, ``severity`` (of the worst cause) and
            ``causes`` (their names, worst first). ``export`` joins it with ``graph.exports``.

        Raises
        ------
        cachegraph.errors.MissingExtraError
            pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise MissingExtraError("a data frame", "notebook") from None
        words = pd.CategoricalDtype(list(WORDS), ordered=True)
        columns = {
            "export": pd.Series([one.export for one in self], dtype="string"),
            "spec": pd.Series([one.spec for one in self], dtype="string"),
            "platform": pd.Series([one.platform for one in self], dtype="string"),
            "kind": pd.Series([one.kind for one in self], dtype="string"),
            "word": pd.Series([one.word for one in self], dtype=words),
            "cached": pd.Series([one.cached for one in self], dtype="Int64"),
            "steps": pd.Series([one.steps for one in self], dtype="Int64"),
            "share": pd.Series([one.share for one in self], dtype="Float64"),
            "layers": pd.Series([one.layers for one in self], dtype="Int64"),
            "bytes": pd.Series([one.bytes for one in self], dtype="Int64"),
            "presence": pd.Series([one.presence for one in self], dtype="string"),
            "newest_at": pd.Series([one.newest_at for one in self], dtype="Int64").astype("datetime64[ns, UTC]"),
            "severity": pd.Series([one.severity for one in self], dtype="string"),
            "causes": pd.Series([tuple(cause.kind for cause in one.causes) for one in self], dtype="object"),
        }
        return pd.DataFrame(columns)
