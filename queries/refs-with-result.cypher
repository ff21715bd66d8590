// title: Refs that can load a key
// question: Which refs hold a loadable result for this key, and how new is it?
// parameters:
//   key: digest or key id of a record; null finds none
// columns:
//   source: spec of the ref
//   platform: platform of an inline cache's image, else null
//   export: id of the export
//   record: index of the record
//   key_id: identity of the record across exports
//   results: number of its loadable results
//   newest: when the newest of them was made; null if not known
// severity: none, it is a list

WITH {key: null} AS param
MATCH (r:Record)
WHERE r.digest = param.key OR r.key_id = param.key
MATCH (e:Export {complete: true, current: true})-[:HAS_RECORD]->(r)-[:HAS_RESULT]->(x:Result {loadable: true})
WITH e, r, count(x) AS results, max(x.created_at) AS newest
RETURN e.source AS source, e.platform AS platform, e.id AS export, r.index AS record, r.key_id AS key_id, results,
       newest
ORDER BY newest DESC, source, platform, record;
