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
//   records: All of them, where the finding is about more than 16 roots with one digest; left out of JSON elsewhere
// severity: warning for a lost operation on scratch (one layer, not the first input of its merge), else note

WITH {export: null} AS param
MATCH (e:Export {complete: true})
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
MATCH (e)-[:HAS_RECORD]->(r:Record)
WHERE r.root_reasons IS NOT NULL AND size(r.root_reasons) > 0
UNWIND range(0, size(r.root_reasons) - 1) AS number
WITH e, r, number, r.root_reasons[number] AS reason
ORDER BY r.index, number
WITH e, reason, r.digest AS digest, CASE WHEN reason = 'lost' THEN r.index ELSE -1 END AS apart,
     collect({record: r.index, number: number}) AS alike
UNWIND CASE WHEN size(alike) > 16 THEN alike[0..1] ELSE alike END AS one
WITH e, reason, digest, one.record AS record, one.number AS number,
     CASE WHEN size(alike) > 16 THEN [other IN alike | other.record] ELSE [] END AS records
MATCH (r:Record {id: e.id + '/r' + toString(record)})
WITH e, number, record, digest, reason, records,
     CASE WHEN reason = 'lost' AND e.importable THEN r.lost_as END AS lost_as,
     CASE WHEN reason = 'lost' THEN r.lost_merge END AS merge,
     CASE WHEN reason = 'lost' THEN r.lost_slot END AS slot,
     CASE WHEN reason = 'lost' THEN r.lost_layers END AS layers
RETURN CASE
         WHEN reason = 'lost' AND lost_as = 'operation' THEN 'warning'
         ELSE 'note'
       END AS severity,
       e.id AS export, record, digest, reason, merge, slot, layers, records
ORDER BY e.source, e.platform, e.id, record, number;
