// title: Growth of refs
// question: How did each ref grow from one export to the next?
// parameters:
//   source: one ref only; null for all
// columns:
//   source: spec of the ref
//   platform: platform of an inline cache's image, else null
//   export: id of the export
//   loaded_at: when it was loaded
//   bytes: bytes of its config
//   records: number of its records
//   layers: number of its layers
//   blob_bytes: bytes of the blobs that it lists, as far as known
//   more_records: records more than in the export before; null for the first
//   more_blob_bytes: bytes of blobs more than in the export before; null for the first
// severity: none, it is a list

WITH {source: null} AS param
MATCH (e:Export {complete: true})
WHERE e.source = coalesce(param.source, e.source)
OPTIONAL MATCH (e)-[:LISTS]->(b:Blob)
WITH e, sum(b.size) AS blob_bytes
WITH e, {
  blob_bytes: blob_bytes, records: COUNT { (e)-[:HAS_RECORD]->() }, layers: COUNT { (e)-[:HAS_LAYER]->() }
} AS counts
ORDER BY e.loaded_at, e.id
WITH e.source AS source, e.platform AS platform, collect(e) AS exports, collect(counts) AS counts
UNWIND range(0, size(exports) - 1) AS number
WITH source, platform, number, exports[number] AS e, counts[number] AS now,
     CASE WHEN number > 0 THEN counts[number - 1] END AS before
RETURN source, platform, e.id AS export, e.loaded_at AS loaded_at, e.bytes AS bytes, now.records AS records,
       now.layers AS layers, now.blob_bytes AS blob_bytes, now.records - before.records AS more_records,
       now.blob_bytes - before.blob_bytes AS more_blob_bytes
ORDER BY source, platform, number;
