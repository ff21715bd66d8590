// title: Causes of steps without a result
// question: Which causes leave steps without a cached result?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning, note
//   export: Id of the export
//   record: Index in the export's own records; null where the finding is not about one record
//   digest: Digest of the record, or of the blob concerned
//   cause: lost-blob: the store no longer has the blob named by digest. unlisted-blob: the manifest does not list it. inline, final-image: the export keeps the layers of the final image only. earlier-build: the keys are those of an earlier build. unknown: the export does not say
//   kind: Kind of the export: what a lost blob costs depends on it
//   steps: Indexes of their records
//   of: Number of steps in the export
// severity: error for lost-blob, note for earlier-build and unknown, else warning

WITH {export: null} AS param
MATCH (e:Export {complete: true})
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
MATCH (e)-[:HAS_RECORD]->(r:Record)
WITH e, sum(CASE WHEN r.is_root THEN 0 ELSE 1 END) AS of, collect(r) AS records
UNWIND records AS r
WITH e, of, r WHERE r.uncached_cause IS NOT NULL
ORDER BY r.index
WITH e, of, null AS record, r.uncached_cause AS cause, r.lacking_blob AS digest, e.kind AS kind,
     collect(r.index) AS steps
RETURN CASE
         WHEN cause = 'lost-blob' THEN 'error'
         WHEN cause IN ['earlier-build', 'unknown'] THEN 'note'
         ELSE 'warning'
       END AS severity,
       e.id AS export, record, digest, cause, kind, steps, of
ORDER BY e.source, e.platform, e.id, cause, digest;
