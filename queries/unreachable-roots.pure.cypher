// title: Cross-check: Roots that lead to no cached result
// question: Which roots lead to no cached result?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning or note
//   export: id of the export
//   record: index of the record
//   digest: digest of the record
//   reason: orphan (no record takes it), dead (nothing above it is loadable) or lost (its layers stand only in a merge)
//   merge: of a lost root: index of the merge record
//   slot: of a lost root: slot of that merge
//   layers: of a lost root: positions in the merged result; null if unknown
//   records: all of them, where many share one digest: left to the core
// severity: warning for a lost operation on scratch (one layer, not the first input of its merge), else note
// note: searches the graph itself; for small graphs without loops; lost roots are left to the core

WITH {export: null} AS param
MATCH (e:Export {complete: true})-[:HAS_RECORD]->(r:Record)
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
  AND NOT EXISTS { (r)-[:INPUT]->() }
WITH e, r, COUNT { (r)<-[:INPUT]-() } AS dependents, COUNT {
  MATCH (r)<-[:INPUT*1..]-(later:Record)
  WHERE later.loadable
  RETURN DISTINCT later
} AS loadable
WITH e, r, CASE WHEN dependents = 0 THEN 'orphan' WHEN loadable = 0 THEN 'dead' END AS reason
WHERE reason IS NOT NULL
RETURN CASE WHEN reason = 'lost' THEN 'warning' ELSE 'note' END AS severity,
       e.id AS export, r.index AS record, r.digest AS digest, reason, null AS merge,
       null AS slot, null AS layers, [] AS records
ORDER BY e.source, e.platform, e.id, r.index;
