// title: Cross-check: What depends on each root
// question: Which roots do most loadable records depend on?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
//   records: how many loadable records at least
// columns:
//   source: spec of the ref
//   platform: platform of an inline cache's image, else null
//   export: id of the export
//   record: index of the record
//   digest: digest of the record
//   op: what kind of operation it is
//   name: what it does; null where that is not known
//   loadable_above: how many loadable records depend on it, directly or not, and miss when it changes
// severity: none, it is a list
// note: searches the graph itself; for small graphs without loops

WITH {export: null, records: 1} AS param
MATCH (e:Export {complete: true})-[:HAS_RECORD]->(r:Record)
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
  AND NOT EXISTS { (r)-[:INPUT]->() }
WITH param, e, r, COUNT {
  MATCH (r)<-[:INPUT*1..]-(later:Record)
  WHERE later.loadable
  RETURN DISTINCT later
} AS loadable_above
WHERE loadable_above >= param.records
RETURN e.source AS source, e.platform AS platform, e.id AS export, r.index AS record, r.digest AS digest, r.op AS op,
       r.name AS name, loadable_above
ORDER BY loadable_above DESC, source, platform, record;
