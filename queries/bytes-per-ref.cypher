// title: Bytes of each ref
// question: How many bytes does each ref hold alone, and how many does it share with others?
// parameters:
//   source: one ref only; null for all
// columns:
//   source: spec of the ref
//   platform: platform of an inline cache's image, else null
//   export: id of the export
//   blobs: number of blobs that it lists
//   bytes: their bytes, as far as known
//   unique_bytes: bytes that no other current export lists
//   shared_bytes: bytes that others list too
// severity: none, it is a list

WITH {source: null} AS param
MATCH (b:Blob)<-[:LISTS]-(e:Export {complete: true, current: true})
WITH param, b, collect(DISTINCT e) AS refs
UNWIND refs AS e
WITH param, e, coalesce(b.size, 0) AS bytes, size(refs) = 1 AS alone
WHERE e.source = coalesce(param.source, e.source)
WITH e, count(*) AS blobs, sum(bytes) AS bytes, sum(CASE WHEN alone THEN bytes ELSE 0 END) AS unique_bytes
RETURN e.source AS source, e.platform AS platform, e.id AS export, blobs, bytes, unique_bytes,
       bytes - unique_bytes AS shared_bytes
ORDER BY unique_bytes DESC, source, platform;
