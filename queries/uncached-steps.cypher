// title: Causes of steps without a result
// question: Which causes leave steps without a cached result?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning, note
//   export: Id of the export
//   record: Index in the export's own records; null where the finding is not about one record
//   digest: Digest of the record, or of the blob concerned
//   cause: lost-blob: the store no longer has the blob named by digest. damaged-blob: it has it and cannot load it. unlisted-blob: the manifest does not list it. inline, final-image: the export keeps the layers of the final image only. inline-link: the same of a build that ends in COPY --link. earlier-build: the keys are those of an earlier build. unknown: the export does not say
//   kind: Kind of the export
//   store: Type of the store that holds its blobs: what a lost blob costs depends on it
//   bytes: Bytes of the blob
//   fault: What is wrong with a damaged blob, such as wrong-size
//   steps: Indexes of their records; none for a lost blob that no step needs to be loaded
//   of: Number of steps in the export
//   loadable: How many of these can be loaded
// severity: error for lost-blob, for a damaged blob in a registry, S3 or Azure, and where nothing can be loaded; note for earlier-build and unknown; else warning

WITH {export: null} AS param
MATCH (e:Export {complete: true})
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
WITH e WHERE e.importable
CALL (e) {
  MATCH (e)-[:HAS_RECORD]->(r:Record)
  WHERE r.uncached_cause IS NOT NULL
  OPTIONAL MATCH (e)-[l:LISTS]->(b:Blob {digest: r.lacking_blob})
  WITH r.index AS index, r.uncached_cause AS cause, r.lacking_blob AS blob, l.bytes AS size,
       CASE WHEN r.uncached_cause = 'damaged-blob' THEN l.fault END AS fault
  WITH index, cause, fault,
       CASE WHEN coalesce(fault, '') IN ['no-diff-id', 'wrong-media-type'] THEN [null, null] ELSE [blob, size] END AS one
  ORDER BY index
  RETURN cause, fault, one[0] AS digest, one[1] AS bytes, collect(index) AS steps
  UNION ALL
  MATCH (e)-[l:LISTS {present: false}]->(b:Blob)
  WHERE NOT EXISTS { MATCH (e)-[:HAS_RECORD]->(r:Record) WHERE r.lacking_blob = b.digest }
  RETURN 'lost-blob' AS cause, null AS fault, b.digest AS digest, l.bytes AS bytes, [] AS steps
}
WITH e, cause, fault, digest, bytes, steps, null AS record, e.kind AS kind, e.store_type AS store,
     e.records - e.roots AS of, e.loadable_steps AS loadable
RETURN CASE
         WHEN cause = 'lost-blob' THEN 'error'
         WHEN cause = 'damaged-blob' AND store IN ['registry', 's3', 'azblob'] AND fault IN ['wrong-size', 'wrong-digest', 'wrong-diff-id', 'wrong-media-type'] THEN 'error'
         WHEN loadable = 0 THEN 'error'
         WHEN cause IN ['earlier-build', 'unknown'] THEN 'note'
         ELSE 'warning'
       END AS severity,
       e.id AS export, record, digest, cause, kind, store, bytes, fault, steps, of, loadable
ORDER BY e.source, e.platform, e.id, cause, fault, digest;
