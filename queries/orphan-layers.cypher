// title: Layers that no loadable result uses
// question: Which layers are part of no cached result?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning, note
//   export: Id of the export
//   record: Index in the export's own records; null where the finding is not about one record
//   digest: Digest of the record, or of the blob concerned
//   layer: Index in the export's layers
//   bytes: Size of its blob
// severity: note

WITH {export: null} AS param
MATCH (e:Export {complete: true})
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
MATCH (e)-[:HAS_LAYER]->(l:Layer {used: false})-[:BLOB]->(b:Blob)
WITH e, null AS record, b.digest AS digest, l.index AS layer, l.bytes AS bytes
RETURN 'note' AS severity, e.id AS export, record, digest, layer, bytes
ORDER BY e.source, e.platform, e.id, layer;
