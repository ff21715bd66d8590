// title: Cross-check: Records that old builders miss
// question: Which records do old builders miss?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning or note
//   export: id of the export
//   record: index of the record
//   digest: digest of the record
//   chains: number of its loadable chains
// severity: note
// note: looks at the results themselves

WITH {export: null} AS param
MATCH (e:Export {complete: true})-[:HAS_RECORD]->(r:Record)-[:HAS_RESULT]->(c:Result {kind: 'chain', loadable: true})
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
WITH e, r, count(c) AS chains
WHERE NOT EXISTS { (r)-[:HAS_RESULT]->(:Result {kind: 'layer', loadable: true}) }
RETURN 'note' AS severity, e.id AS export, r.index AS record, r.digest AS digest, chains
ORDER BY e.source, e.platform, e.id, r.index;
