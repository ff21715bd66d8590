// title: Inputs of merges
// question: Which layers of a merged result did each input bring?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning, note
//   export: Id of the export
//   record: Index in the export's own records; null where the finding is not about one record
//   digest: Digest of the record, or of the blob concerned
//   slot: Which of the merge's inputs
//   alternative: Which alternative of the slot
//   input: Index of the alternative's record
//   relation: prefix (its layers are the first of the merged result), subset (a contiguous run further up), scattered (in order, not contiguous), absent (not in it), no-result (nothing to compare). null when the merge itself has no loadable result
//   start: First position of its layers in the merged result
//   stop: Position behind the last
//   inferred: Whether they are what the neighbouring slots leave
//   merged_layers: Number of layers of the merged result
// severity: note: it describes the merge, and costs nothing

WITH {export: null} AS param
MATCH (e:Export {complete: true})
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
MATCH (e)-[:HAS_RECORD]->(r:Record {is_merge: true})-[i:INPUT]->(other:Record)
WITH e, r.index AS record, r.digest AS digest, i.slot AS slot, i.alternative AS alternative, other.index AS input,
     i.relation AS relation, i.start AS start, i.stop AS stop, i.inferred AS inferred, r.merged_layers AS merged_layers
RETURN 'note' AS severity, e.id AS export, record, digest, slot, alternative, input, relation, start, stop, inferred,
       merged_layers
ORDER BY e.source, e.platform, e.id, record, slot, alternative;
