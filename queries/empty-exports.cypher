// title: Empty exports
// question: Is the export empty?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning, note
//   export: Id of the export
//   record: Index in the export's own records; null where the finding is not about one record
//   digest: Digest of the record, or of the blob concerned
//   records: Records that it holds all the same: sources, and operations on scratch
// severity: error

WITH {export: null} AS param
MATCH (e:Export {complete: true})
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
WITH e, null AS record, null AS digest, e.records AS records
WHERE e.records = e.roots AND e.importable
RETURN 'error' AS severity, e.id AS export, record, digest, records
ORDER BY e.source, e.platform, e.id, record;
