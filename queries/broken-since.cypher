// title: Sources that cannot be read
// question: Which sources failed at the last look, or are gone, since when and why?
// parameters:
//   gone: false leaves out what is gone; null for all
// columns:
//   source: spec of the ref
//   state: gone: a look found nothing there; broken: it could not be read, or not all of it
//   since: when the first look found it so
//   last_seen: when it was last read without an error; null if never
//   looks: how many looks failed in a row
//   exports: how many exports of it are current, as they were last seen
//   error: why the last look failed; null for a tag that is not listed any more
// severity: error where it is broken, warning where it is gone

WITH {gone: null} AS param
MATCH (s:Source)
WHERE (s.last_error IS NOT NULL OR s.gone_at IS NOT NULL)
  AND (param.gone IS NULL OR param.gone = (s.gone_at IS NOT NULL))
RETURN s.id AS source, CASE WHEN s.gone_at IS NULL THEN 'broken' ELSE 'gone' END AS state,
       coalesce(s.gone_at, s.broken_since) AS since, s.last_seen AS last_seen,
       coalesce(s.failed_looks, 0) AS looks,
       COUNT { MATCH (:Export {source: s.id, complete: true, current: true}) } AS exports, s.last_error AS error
ORDER BY since, source;
