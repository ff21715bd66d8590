// title: Cross-check: Records without a loadable result
// question: Which records have no loadable result?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning or note
//   export: id of the export
//   record: index of the record
//   digest: digest of the record
//   reason: not-exported, blob-not-listed, blob-missing or blob-damaged
//   impact: bridged: a record that depends on it is loadable; dead-end: none is
//   downstream_loadable: how many are; null behind a loop
// severity: note: uncached-steps has the causes, and what they cost
// note: searches the graph itself; for small graphs without loops

WITH {export: null} AS param
MATCH (e:Export {complete: true})-[:HAS_RECORD]->(r:Record)
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
  AND EXISTS { (r)-[:INPUT]->() } AND NOT EXISTS { (r)-[:HAS_RESULT]->(:Result {loadable: true}) }
WITH e, r, COLLECT { MATCH (r)-[:HAS_RESULT]->(x:Result) RETURN DISTINCT x.reason } AS reasons, COUNT {
  MATCH (r)<-[:INPUT*1..]-(later:Record)
  WHERE later.loadable
  RETURN DISTINCT later
} AS loadable
WITH e, r, loadable, CASE
  WHEN 'blob-damaged' IN reasons THEN 'blob-damaged'
  WHEN 'blob-missing' IN reasons THEN 'blob-missing'
  WHEN 'blob-not-listed' IN reasons THEN 'blob-not-listed'
  ELSE 'not-exported'
END AS reason
RETURN 'note' AS severity, e.id AS export, r.index AS record, r.digest AS digest, reason,
       CASE WHEN loadable > 0 THEN 'bridged' ELSE 'dead-end' END AS impact, loadable AS downstream_loadable
ORDER BY e.source, e.platform, e.id, r.index;
