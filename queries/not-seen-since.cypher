// title: Sources that nobody has seen for long
// question: Which sources were not read without an error since a time?
// parameters:
//   since: the time, such as '2026-11-01T00:00:00Z'; null for a number of days before now
//   days: that number; null for 7
// columns:
//   source: spec of the ref
//   last_seen: when it was last read without an error; null if never
//   looked_at: when it was looked at last
//   gone_at: when a look first found nothing there; null while there is something
//   error: why the last look failed; null if it did not, or if there was none since
//   exports: how many exports of it are current, as they were last seen
// severity: warning

WITH {since: null, days: 7} AS param
WITH coalesce(datetime(param.since), datetime() - duration({days: coalesce(param.days, 7)})) AS since
MATCH (s:Source)
WHERE s.last_seen IS NULL OR s.last_seen < since
RETURN s.id AS source, s.last_seen AS last_seen, s.looked_at AS looked_at, s.gone_at AS gone_at,
       s.last_error AS error, COUNT { MATCH (:Export {source: s.id, complete: true, current: true}) } AS exports
ORDER BY last_seen, source;
