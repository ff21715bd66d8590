// title: Refs that hold a key
// question: Which refs hold this key?
// parameters:
//   key: digest or key id of a record; null finds none
// columns:
//   source: spec of the ref
//   platform: platform of an inline cache's image, else null
//   export: id of the export
//   record: index of the record
//   digest: digest of the record
//   key_id: identity of the record across exports
//   loadable: whether it has a loadable result
// severity: none, it is a list

WITH {key: null} AS param
MATCH (r:Record)
WHERE r.digest = param.key OR r.key_id = param.key
MATCH (e:Export {complete: true, current: true})-[:HAS_RECORD]->(r)
RETURN e.source AS source, e.platform AS platform, e.id AS export, r.index AS record, r.digest AS digest,
       r.key_id AS key_id, r.loadable AS loadable
ORDER BY source, platform, record;
