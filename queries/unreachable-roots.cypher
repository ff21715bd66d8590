// title: Roots that lead to no cached result
// question: Which roots lead to no cached result?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning, note
//   export: Id of the export
//   record: Index in the export's own records; null where the finding is not about one record
//   digest: Digest of the record, or of the blob concerned
//   reason: orphan (no record takes it), dead (nothing above it is loadable) or lost (its layers stand only in a merge)
//   merge: For lost: the merge record that holds its layers
//   slot: For lost: the slot of that merge
//   layers: For lost: positions in the merged result; null where the other slots do not leave exactly one gap
// severity: note for an orphan that is a known source, else warning

WITH {export: null} AS param
MATCH (e:Export {complete: true})
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
MATCH (e)-[:HAS_RECORD]->(r:Record)
WHERE r.root_reasons IS NOT NULL AND size(r.root_reasons) > 0
UNWIND range(0, size(r.root_reasons) - 1) AS number
WITH e, r, number, r.root_reasons[number] AS reason
WITH e, number, r.op AS op, r.index AS record, r.digest AS digest, reason,
     CASE WHEN reason = 'lost' THEN r.lost_merge END AS merge,
     CASE WHEN reason = 'lost' THEN r.lost_slot END AS slot,
     CASE WHEN reason = 'lost' THEN r.lost_layers END AS layers
RETURN CASE
         WHEN reason = 'orphan' AND op = 'source' THEN 'note'
         ELSE 'warning'
       END AS severity,
       e.id AS export, record, digest, reason, merge, slot, layers
ORDER BY e.source, e.platform, e.id, record, number;
