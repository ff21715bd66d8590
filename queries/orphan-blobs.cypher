// title: Blobs that no manifest reaches
// question: Which blobs does no manifest name?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning, note
//   export: Id of the export
//   record: Index in the export's own records; null where the finding is not about one record
//   digest: Digest of the record, or of the blob concerned
//   store: The directory, or the bucket and prefix
//   bytes: Bytes of the blob
//   modified_at: When it was written, where the store tells
// severity: note

WITH {export: null} AS param
MATCH (e:Export {complete: true})
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
WITH e ORDER BY e.loaded_at DESC, e.id
// All exports of a store list the same strays, and the one loaded last knows best.
WITH coalesce(e.store, e.id) AS place, head(collect(e)) AS e
MATCH (e)-[s:HAS_STRAY]->(b:Blob)
WITH e, null AS record, b.digest AS digest, coalesce(e.store, '') AS store, s.bytes AS bytes, s.modified_at AS modified_at
RETURN 'note' AS severity, e.id AS export, record, digest, store, bytes, modified_at
ORDER BY e.source, e.platform, e.id, digest;
