// title: Records without a loadable result
// question: Which records have no loadable result?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning or note
//   export: id of the export
//   record: index of the record
//   digest: digest of the record
//   reason: not-exported, blob-not-listed or blob-missing
//   impact: bridged: a record that depends on it is loadable; dead-end: none is
//   downstream_loadable: how many are; null behind a loop
// severity: error for blob-missing (the build fails or falls back), note for not-exported and bridged, else warning

WITH {export: null} AS param
MATCH (e:Export {complete: true})-[:HAS_RECORD]->(r:Record)
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
  AND r.missing_reason IS NOT NULL
RETURN CASE
         WHEN r.missing_reason = 'blob-missing' THEN 'error'
         WHEN r.missing_reason = 'not-exported' AND r.bridged THEN 'note'
         ELSE 'warning'
       END AS severity,
       e.id AS export, r.index AS record, r.digest AS digest, r.missing_reason AS reason,
       CASE WHEN r.bridged THEN 'bridged' ELSE 'dead-end' END AS impact, r.downstream_loadable AS downstream_loadable
ORDER BY e.source, e.platform, e.id, r.index;
