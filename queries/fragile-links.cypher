// title: Records that BuildKit 0.25 to 0.32 can miss
// question: Which steps do builders from BuildKit 0.25 to 0.32 miss at random?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning, note
//   export: Id of the export
//   record: Index in the export's own records; null where the finding is not about one record
//   digest: Digest of the record, or of the blob concerned
//   slots: Slots all of whose links can be lost
//   steps: Indexes of the steps that it then cannot find, the record among them
// severity: note

WITH {export: null} AS param
MATCH (e:Export {complete: true})
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
MATCH (e)-[:HAS_RECORD]->(r:Record)
WHERE r.missable_slots IS NOT NULL
WITH e, r.index AS record, r.digest AS digest, r.missable_slots AS slots, r.missed_steps AS steps
RETURN 'note' AS severity, e.id AS export, record, digest, slots, steps
ORDER BY e.source, e.platform, e.id, record;
