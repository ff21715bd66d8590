// title: Refused exports
// question: Would BuildKit refuse the export?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning or note
//   export: id of the export
//   record: null: it is about the whole export
//   digest: null
//   error: BuildKit's words
// severity: error

WITH {export: null} AS param
MATCH (e:Export {complete: true, importable: false})
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
RETURN 'error' AS severity, e.id AS export, null AS record, null AS digest, e.import_error AS error
ORDER BY e.source, e.platform, e.id;
