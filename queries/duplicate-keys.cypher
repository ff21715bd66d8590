// title: Records that are one key
// question: Which records does BuildKit fold into one key?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning, note
//   export: Id of the export
//   record: Index in the export's own records; null where the finding is not about one record
//   digest: Digest of the record, or of the blob concerned
//   key: Index of the record that it becomes one with
//   dropped_results: Loadable results that BuildKit takes for repetitions (same time, same number of layers) and drops, though their blobs differ
//   records: All of them, where more than 16 records become one with that one; left out of JSON elsewhere
// severity: warning where a result gets lost, else note

WITH {export: null} AS param
MATCH (e:Export {complete: true})
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
MATCH (e)-[:HAS_RECORD]->(r:Record)
WHERE r.folds_into IS NOT NULL
WITH e, r ORDER BY r.index
WITH e, r.folds_into AS key,
     collect({record: r.index, digest: r.digest, dropped: r.dropped_results}) AS alike
UNWIND CASE WHEN size(alike) > 16 THEN alike[0..1] ELSE alike END AS one
WITH e, key, one.record AS record, one.digest AS digest,
     CASE WHEN size(alike) > 16 THEN [other IN alike | other.record] ELSE [] END AS records,
     CASE WHEN size(alike) > 16 THEN reduce(sum = 0, other IN alike | sum + other.dropped) ELSE one.dropped END
       AS dropped_results
RETURN CASE
         WHEN dropped_results > 0 THEN 'warning'
         ELSE 'note'
       END AS severity,
       e.id AS export, record, digest, key, dropped_results, records
ORDER BY e.source, e.platform, e.id, record;
