// title: Results that a ref lost
// question: Which keys were loadable in a ref's previous export and are not in its current one?
// parameters:
//   source: one ref only; null for all
// columns:
//   source: spec of the ref
//   platform: platform of an inline cache's image, else null
//   export: id of the current export
//   previous: id of the export before it
//   record: index of the record in the previous export
//   digest: digest of the record
//   key_id: identity of the record across exports
//   state: gone: the key is not there any more; key-only: it is, without a loadable result
// severity: warning

WITH {source: null} AS param
MATCH (e:Export {complete: true, current: true})
WHERE e.source = coalesce(param.source, e.source)
MATCH (old:Export {source: e.source, complete: true, current: false})
WHERE coalesce(old.platform, '') = coalesce(e.platform, '')
WITH e, old ORDER BY old.loaded_at DESC
WITH e, head(collect(old)) AS previous
MATCH (previous)-[:HAS_RECORD]->(r:Record {loadable: true})
WITH e, previous, r, COLLECT {
  MATCH (n:Record {key_id: r.key_id})
  USING INDEX n:Record(key_id)
  WHERE n.id STARTS WITH e.id
  RETURN n.loadable
} AS now
WHERE NOT any(loadable IN now WHERE loadable)
RETURN e.source AS source, e.platform AS platform, e.id AS export, previous.id AS previous, r.index AS record,
       r.digest AS digest, r.key_id AS key_id, CASE WHEN size(now) > 0 THEN 'key-only' ELSE 'gone' END AS state
ORDER BY source, platform, record;
