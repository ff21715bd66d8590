// title: Inputs of merges
// question: Which layers of a merged result did each input bring?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning or note
//   export: id of the export
//   record: index of the merge record
//   digest: digest of the merge record
//   slot: slot of the merge
//   alternative: alternative of the slot
//   input: index of the alternative's record
//   relation: prefix, subset, scattered, absent or no-result; null if the merge has no loadable result
//   start: first position of its layers in the merged result
//   stop: position behind the last
//   inferred: whether the positions are what the other slots leave
//   merged_layers: number of layers of the merged result
// severity: warning for scattered and absent, else note

WITH {export: null} AS param
MATCH (e:Export {complete: true})-[:HAS_RECORD]->(r:Record {is_merge: true})-[i:INPUT]->(input:Record)
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
RETURN CASE WHEN i.relation IN ['scattered', 'absent'] THEN 'warning' ELSE 'note' END AS severity,
       e.id AS export, r.index AS record, r.digest AS digest, i.slot AS slot, i.alternative AS alternative,
       input.index AS input, i.relation AS relation, i.start AS start, i.stop AS stop, i.inferred AS inferred,
       r.merged_layers AS merged_layers
ORDER BY e.source, e.platform, e.id, r.index, i.slot, i.alternative;
