// title: Keys that no ref can load
// question: Which keys are in many exports and can be loaded from none?
// parameters:
//   exports: how many exports at least hold it
// columns:
//   key_id: identity of the record across exports
//   digest: digest of the record
//   name: what it does; null where that is not known
//   exports: how many current exports hold it
//   reasons: why it is not loadable
// severity: warning

WITH {exports: 2} AS param
MATCH (e:Export {complete: true, current: true})-[:HAS_RECORD]->(r:Record)
WHERE r.missing_reason IS NOT NULL
WITH param, r.key_id AS key_id, min(r.digest) AS digest, min(r.name) AS name, count(DISTINCT e) AS exports,
     collect(DISTINCT r.missing_reason) AS reasons
WHERE exports >= param.exports AND NOT EXISTS {
  MATCH (n:Record {key_id: key_id})
  USING INDEX n:Record(key_id)
  WHERE n.loadable AND EXISTS { (n)<-[:HAS_RECORD]-(:Export {complete: true, current: true}) }
}
RETURN key_id, digest, name, exports, reasons
ORDER BY exports DESC, key_id;
