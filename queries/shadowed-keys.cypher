// title: Keys that one ref has with a result and another without
// question: Which keys can one cache hide from another, if a build imports both?
// parameters:
//   source: one ref only that lacks the result; null for all
// columns:
//   key_id: identity of the record across exports
//   digest: digest of the record
//   name: what it does; null where that is not known
//   loadable_in: refs that hold the key with a result
//   hidden_by: refs that hold it without one, which can answer first
// severity: warning

WITH {source: null} AS param
MATCH (e:Export {complete: true, current: true})-[:HAS_RECORD]->(r:Record)
WHERE e.source = coalesce(param.source, e.source) AND r.missing_reason IS NOT NULL
WITH r.key_id AS key_id, min(r.digest) AS digest, min(r.name) AS name, collect(DISTINCT e.source) AS hidden_by
WITH key_id, digest, name, hidden_by, COLLECT {
  MATCH (n:Record {key_id: key_id})
  USING INDEX n:Record(key_id)
  WHERE n.loadable
  MATCH (n)<-[:HAS_RECORD]-(other:Export {complete: true, current: true})
  WHERE NOT other.source IN hidden_by
  RETURN DISTINCT other.source
} AS loadable_in
WHERE size(loadable_in) > 0
RETURN key_id, digest, name, loadable_in, hidden_by
ORDER BY size(hidden_by) DESC, key_id;
