// title: Refused exports
// question: Would BuildKit refuse the export?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning, note
//   export: Id of the export
//   record: Index in the export's own records; null where the finding is not about one record
//   digest: Digest of the record, or of the blob concerned
//   error: BuildKit's words
// severity: error

WITH {export: null} AS param
MATCH (e:Export {complete: true})
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
WITH e WHERE NOT e.importable
WITH e, null AS record, null AS digest, e.import_error AS error
RETURN 'error' AS severity, e.id AS export, record, digest, error
ORDER BY e.source, e.platform, e.id, record;
