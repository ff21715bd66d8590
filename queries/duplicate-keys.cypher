// title: Records that are one key
// question: Which records does BuildKit fold into one key?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning or note
//   export: id of the export
//   record: index of the record
//   digest: digest of the record
//   key: index of the record that it becomes one with
//   dropped_results: results that get lost by it
// severity: warning where a result gets lost, else note

WITH {export: null} AS param
MATCH (e:Export {complete: true})-[:HAS_RECORD]->(r:Record)
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
  AND r.folds_into IS NOT NULL
RETURN CASE WHEN r.dropped_results > 0 THEN 'warning' ELSE 'note' END AS severity,
       e.id AS export, r.index AS record, r.digest AS digest, r.folds_into AS key, r.dropped_results AS dropped_results
ORDER BY e.source, e.platform, e.id, r.index;
