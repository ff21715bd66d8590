// title: Cross-check: Inputs of merges
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
// severity: note: it describes the merge, and costs nothing
// note: compares the blobs themselves; positions are left to the core

WITH {export: null} AS param
MATCH (e:Export {complete: true})-[:HAS_RECORD]->(r:Record {is_merge: true})-[i:INPUT]->(input:Record)
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
WITH e, r, i, input, head(COLLECT {
  MATCH (r)-[h:HAS_RESULT]->(x:Result {loadable: true})
  WITH COLLECT { MATCH (x)-[u:USES]->()-[:BLOB]->(b:Blob) RETURN b.digest ORDER BY u.position } AS blobs,
       coalesce(x.created_at, datetime('0001-01-01')) AS made, h.position AS position
  ORDER BY position
  WITH blobs, head(collect(made)) AS made, min(position) AS position // the same blobs count once and first
  RETURN blobs
  ORDER BY made DESC, position
}) AS whole, COLLECT {
  MATCH (input)-[:HAS_RESULT]->(x:Result {loadable: true})
  RETURN COLLECT { MATCH (x)-[u:USES]->()-[:BLOB]->(b:Blob) RETURN b.digest ORDER BY u.position } AS blobs
} AS parts
WITH e, r, i, input, whole, [part IN CASE WHEN whole IS NULL THEN [] ELSE parts END | CASE
  WHEN whole[0..size(part)] = part THEN 0
  WHEN any(at IN range(0, size(whole) - size(part)) WHERE whole[at..at + size(part)] = part) THEN 1
  WHEN reduce(at = 0, blob IN part |
    head([n IN range(coalesce(at, size(whole)), size(whole) - 1) WHERE whole[n] = blob | n + 1])
  ) IS NOT NULL THEN 2
  ELSE 3
END] AS ranks
WITH e, r, i, input, whole, reduce(best = 4, rank IN ranks | CASE WHEN rank < best THEN rank ELSE best END) AS rank
WITH e, r, i, input, size(whole) AS merged_layers,
     CASE WHEN whole IS NOT NULL THEN ['prefix', 'subset', 'scattered', 'absent', 'no-result'][rank] END AS relation
RETURN 'note' AS severity, e.id AS export, r.index AS record, r.digest AS digest, i.slot AS slot, i.alternative AS alternative,
       input.index AS input, relation, null AS start, null AS stop, null AS inferred, merged_layers
ORDER BY e.source, e.platform, e.id, r.index, i.slot, i.alternative;
