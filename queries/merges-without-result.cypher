// title: Merges with inputs that cannot be loaded
// question: Which merges have most inputs without a loadable result?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
//   inputs: how many such inputs at least
// columns:
//   source: spec of the ref
//   platform: platform of an inline cache's image, else null
//   export: id of the export
//   record: index of the merge record
//   digest: digest of the merge record
//   loadable: whether the merge itself is loadable
//   inputs: number of its slots
//   without_result: slots of which no alternative is loadable
// severity: none, it is a list

WITH {export: null, inputs: 1} AS param
MATCH (e:Export {complete: true})-[:HAS_RECORD]->(r:Record {is_merge: true})-[i:INPUT]->(input:Record)
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
WITH param, e, r, i.slot AS slot, max(CASE WHEN input.loadable THEN 1 ELSE 0 END) AS has_result
WITH param, e, r, count(*) AS inputs, sum(1 - has_result) AS without_result
WHERE without_result >= param.inputs
RETURN e.source AS source, e.platform AS platform, e.id AS export, r.index AS record, r.digest AS digest,
       r.loadable AS loadable, inputs, without_result
ORDER BY without_result DESC, source, platform, record;
