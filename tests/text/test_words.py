"""Words that all commands share."""

from __future__ import annotations

import pytest

from cachegraph.text.words import cut_at_word, ended

RUN = "RUN apt-get update && apt-get install -y make"


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (len(RUN), RUN),
        (len(RUN) - 1, "RUN apt-get update && apt-get install -y..."),
        (25, "RUN apt-get update..."),  # neither the && nor half of a word
        (21, "RUN apt-get update..."),  # a word that ends at the edge stays
        (20, "RUN apt-get..."),
        (11, "RUN apt-..."),  # more than one word of three letters
    ],
)
def test_a_name_is_cut_at_a_word_and_not_at_what_joins_it_to_the_next(width: int, shown: str) -> None:
    assert cut_at_word(RUN, width) == shown
    assert len(shown) <= width


@pytest.mark.parametrize("joint", ["&&", "||", "|", ";", ">", "<", "\\", ".", ","])
def test_dots_follow_a_word(joint: str) -> None:
    assert cut_at_word(f"RUN make {joint} install-everything", 16) == "RUN make..."


def test_a_shortened_name_ends_its_sentence() -> None:
    assert (ended("RUN make ran"), ended("new: RUN make...")) == ("RUN make ran.", "new: RUN make...")
