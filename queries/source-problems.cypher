// title: Problems of the source
// question: What is wrong with the place the export lies in?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning or note
//   export: id of the export
//   record: null: it is about the source
//   digest: digest of the blob concerned, or null
//   code: size-mismatch, digest-mismatch, image-ignored, manifest-missing or source-note
//   detail: what is wrong
// severity: error where loading fails, else warning or note

WITH {export: null} AS param
MATCH (e:Export {complete: true})-[:HAS_PROBLEM]->(p:Problem)
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
RETURN p.severity AS severity, e.id AS export, null AS record, p.digest AS digest, p.code AS code, p.message AS detail
ORDER BY e.source, e.platform, e.id, p.index;
