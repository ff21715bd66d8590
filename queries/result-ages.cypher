// title: Age of results
// question: How old are the newest and the oldest result of each ref?
// parameters:
//   source: one ref only; null for all
// columns:
//   source: spec of the ref
//   platform: platform of an inline cache's image, else null
//   export: id of the export
//   results: number of its loadable results
//   newest: when the newest was made; null if not known
//   oldest: when the oldest was made; null if not known
// severity: none, it is a list

WITH {source: null} AS param
MATCH (e:Export {complete: true, current: true})
WHERE e.source = coalesce(param.source, e.source)
OPTIONAL MATCH (e)-[:HAS_RECORD]->(:Record)-[:HAS_RESULT]->(x:Result {loadable: true})
WITH e, count(x) AS results, max(x.created_at) AS newest, min(x.created_at) AS oldest
RETURN e.source AS source, e.platform AS platform, e.id AS export, results, newest, oldest
ORDER BY newest DESC, source, platform;
