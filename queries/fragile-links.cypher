// title: Records that builders can miss at random
// question: Which steps can BuildKit 0.25 to 0.32 miss at random?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning, note
//   export: Id of the export
//   record: Index in the export's own records; null where the finding is not about one record
//   digest: Digest of the record, or of the blob concerned
//   reason: missable: all links of a slot can be lost, in an import that meets them in an unlucky order. cannot-tell: the export has so many records and targets that finding out takes too long
//   slots: Slots of the record all of whose links can be lost
//   cost: Number of steps that match no longer then, itself among them
//   steps: The first of them, at most 20: indexes of their records
// severity: warning, note where it cannot be told

WITH {export: null} AS param
MATCH (e:Export {complete: true})
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
OPTIONAL MATCH (e)-[:HAS_RECORD]->(r:Record) WHERE r.fragile_slots IS NOT NULL
WITH e, r WHERE r IS NOT NULL OR NOT e.fragile_known
WITH e, r.index AS record, r.digest AS digest,
     CASE WHEN r IS NULL THEN 'cannot-tell' ELSE 'missable' END AS reason,
     coalesce(r.fragile_slots, []) AS slots, r.fragile_cost AS cost, coalesce(r.fragile_steps, []) AS steps
RETURN CASE
         WHEN reason = 'cannot-tell' THEN 'note'
         ELSE 'warning'
       END AS severity,
       e.id AS export, record, digest, reason, slots, cost, steps
ORDER BY e.source, e.platform, e.id, record;
