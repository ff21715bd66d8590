// title: Results that were there and are gone
// question: Which keys does a ref still hold whose results an earlier export of it had, and until when?
// parameters:
//   source: one ref only; null for all
// columns:
//   source: spec of the ref
//   platform: platform of an inline cache's image, else null
//   record: index of the record in the current export
//   digest: digest of the record
//   name: what it does; null where that is not known
//   reason: why it cannot be loaded any more
//   until: when the last export that had the result was loaded
//   exports: how many earlier exports had it
// severity: warning

WITH {source: null} AS param
MATCH (e:Export {complete: true, current: true})-[:HAS_RECORD]->(r:Record)
WHERE e.source = coalesce(param.source, e.source) AND r.missing_reason IS NOT NULL
MATCH (old:Record {key_id: r.key_id})
USING INDEX old:Record(key_id)
WHERE old.loadable
MATCH (old)<-[:HAS_RECORD]-(was:Export {source: e.source, complete: true, current: false})
WHERE coalesce(was.platform, '') = coalesce(e.platform, '')
WITH e, r, max(was.loaded_at) AS until, count(DISTINCT was) AS exports
RETURN e.source AS source, e.platform AS platform, r.index AS record, r.digest AS digest, r.name AS name,
       r.missing_reason AS reason, until, exports
ORDER BY source, platform, record;
