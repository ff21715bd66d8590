// title: Blobs that no manifest reaches
// question: Which blobs does no manifest reach?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning or note
//   export: id of the export that was loaded last from that store
//   record: null: it is about a blob
//   digest: digest of the blob
//   store: the directory, or the bucket and prefix
//   bytes: bytes of the blob
//   modified_at: when it was written, or null
// severity: note

WITH {export: null} AS param
MATCH (e:Export {complete: true})
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
WITH e ORDER BY e.loaded_at DESC, e.id
// All exports of a store list the same strays, and the one loaded last knows best.
WITH coalesce(e.store, e.id) AS place, head(collect(e)) AS e
MATCH (e)-[s:HAS_STRAY]->(b:Blob)
RETURN 'note' AS severity, e.id AS export, null AS record, b.digest AS digest, coalesce(e.store, '') AS store,
       s.bytes AS bytes, s.modified_at AS modified_at
ORDER BY e.source, e.platform, e.id, b.digest;
