// title: Layers that no loadable result uses
// question: Which layers does no loadable result use?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning or note
//   export: id of the export
//   record: null: it is about a layer
//   digest: digest of the layer's blob
//   layer: index of the layer
//   bytes: bytes of its blob, or null
// severity: note

WITH {export: null} AS param
MATCH (e:Export {complete: true})-[:HAS_LAYER]->(l:Layer {used: false})-[:BLOB]->(b:Blob)
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
RETURN 'note' AS severity, e.id AS export, null AS record, b.digest AS digest, l.index AS layer, l.bytes AS bytes
ORDER BY e.source, e.platform, e.id, l.index;
