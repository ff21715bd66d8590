// title: Problems of the source
// question: What is wrong with the place where the export is stored?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning, note
//   export: Id of the export
//   record: Index in the export's own records; null where the finding is not about one record
//   digest: Digest of the record, or of the blob concerned
//   code: size-mismatch, digest-mismatch, image-ignored, builder-panic, manifest-missing, spec-trap or source-note
//   detail: What is wrong, in a sentence
// severity: error where loading fails, else warning or note

WITH {export: null} AS param
MATCH (e:Export {complete: true})
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
MATCH (e)-[:HAS_PROBLEM]->(p:Problem)
WITH e, p.index AS number, p.severity AS severity, null AS record, p.digest AS digest, p.code AS code,
     p.message AS detail
RETURN severity, e.id AS export, record, digest, code, detail
ORDER BY e.source, e.platform, e.id, number;
