// title: Records without a loadable result
// question: Which steps have no cached result?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning, note
//   export: Id of the export
//   record: Index in the export's own records; null where the finding is not about one record
//   digest: Digest of the record, or of the blob concerned
//   reason: not-exported, blob-not-listed, blob-missing, blob-damaged
//   impact: bridged: a record that depends on it, directly or not, is loadable; dead-end: none is
//   downstream_loadable: How many are; null where a loop makes it unknowable
// severity: note: uncached-steps has the causes, and what they cost

WITH {export: null} AS param
MATCH (e:Export {complete: true})
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
MATCH (e)-[:HAS_RECORD]->(r:Record)
WHERE r.missing_reason IS NOT NULL
WITH e, r.index AS record, r.digest AS digest, r.missing_reason AS reason,
     CASE WHEN r.bridged THEN 'bridged' ELSE 'dead-end' END AS impact, r.downstream_loadable AS downstream_loadable
RETURN 'note' AS severity, e.id AS export, record, digest, reason, impact, downstream_loadable
ORDER BY e.source, e.platform, e.id, record;
