// title: Records that old builders miss
// question: Which steps do builders before BuildKit 0.10 run again?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning, note
//   export: Id of the export
//   record: Index in the export's own records; null where the finding is not about one record
//   digest: Digest of the record, or of the blob concerned
//   chains: Number of its loadable chains
// severity: note

WITH {export: null} AS param
MATCH (e:Export {complete: true})
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
MATCH (e)-[:HAS_RECORD]->(r:Record)
WHERE r.legacy_chains IS NOT NULL
WITH e, r.index AS record, r.digest AS digest, r.legacy_chains AS chains
RETURN 'note' AS severity, e.id AS export, record, digest, chains
ORDER BY e.source, e.platform, e.id, record;
