// title: Empty exports
// question: Is the export empty?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning, note
//   export: Id of the export
//   record: Index in the export's own records; null where the finding is not about one record
//   digest: Digest of the record, or of the blob concerned
//   layers: Layers that it holds all the same
// severity: error

WITH {export: null} AS param
MATCH (e:Export {complete: true})
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
WITH e, null AS record, null AS digest, e.layers AS layers
WHERE e.records = 0 AND e.importable
RETURN 'error' AS severity, e.id AS export, record, digest, layers
ORDER BY e.source, e.platform, e.id, record;
