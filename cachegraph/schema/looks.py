"""What only a store keeps beside exports: each source with how it was found at the last look, and each load."""

from __future__ import annotations

from cachegraph.schema.properties import Node, Property

__all__ = ["RUN", "SOURCE"]

SOURCE = Node(
    "Source",
    "A place that was looked at: what went well and what did not, whether or not an export of it is there.",
    (
        Property("id", "string", "The spec that names it, as `Export.source` gives it."),
        Property("place", "string", "What was asked for it: one place can hold several sources.", indexed=True),
        Property("looked_at", "time", "When it was looked at last."),
        Property("last_seen", "time", "When it was last read without an error; null if never."),
        Property("last_error", "string", "Why the last look failed; null if it did not."),
        Property("broken_since", "time", "When the first look failed of those that failed in a row; null if none."),
        Property("failed_looks", "integer", "How many looks failed in a row."),
        Property("gone_at", "time", "When a look first found nothing there; null while there is something."),
    ),
)

RUN = Node(
    "Run",
    "A load: when, and what came of it.",
    (
        Property("id", "string", "Made at random."),
        Property("began_at", "time", "When it began."),
        Property("ended_at", "time", "When it ended; null while it is at work, and for ever if it was killed."),
        Property("outcome", "string", "done, or stopped when the server could not be used any more."),
        Property("created", "integer", "Exports that were written."),
        Property("unchanged", "integer", "Exports that were there already."),
        Property("superseded", "integer", "Earlier exports that are current no more."),
        Property("removed", "integer", "Earlier exports that were removed."),
        Property("failed", "integer", "Sources that could not be read or loaded."),
        Property("gone", "integer", "Sources that were there at an earlier look and are not any more."),
        Property("rows", "integer", "Rows that were written."),
        Property("failures", "strings", "Source and error of the first hundred failures."),
    ),
)
