// title: Roots that can give nothing
// question: Which roots can give nothing?
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
// severity: note for an orphan that is a known source, else warning

WITH {export: null} AS param
MATCH (e:Export {complete: true})-[:HAS_RECORD]->(r:Record)
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
  AND r.root_reasons IS NOT NULL AND size(r.root_reasons) > 0
UNWIND range(0, size(r.root_reasons) - 1) AS number
WITH e, r, number, r.root_reasons[number] AS reason, r.root_reasons[number] = 'lost' AS lost
RETURN CASE WHEN reason = 'orphan' AND r.op = 'source' THEN 'note' ELSE 'warning' END AS severity,
       e.id AS export, r.index AS record, r.digest AS digest, reason,
       CASE WHEN lost THEN r.lost_merge END AS merge, CASE WHEN lost THEN r.lost_slot END AS slot,
       CASE WHEN lost THEN r.lost_layers END AS layers
ORDER BY e.source, e.platform, e.id, r.index, number;
