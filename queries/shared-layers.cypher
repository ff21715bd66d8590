// title: Layers that most refs share
// question: Which layers do most exports share?
// parameters:
//   exports: how many exports at least share it
// columns:
//   blob: digest of the layer's blob
//   exports: how many current exports hold it
//   bytes: bytes of the blob; null if not known
//   saved_bytes: bytes that sharing it saves in one store; null if not known
// severity: none, it is a list

WITH {exports: 2} AS param
MATCH (e:Export {complete: true, current: true})-[:HAS_LAYER]->(:Layer)-[:BLOB]->(b:Blob)
WITH param, b, count(DISTINCT e) AS exports
WHERE exports >= param.exports
RETURN b.digest AS blob, exports, b.size AS bytes, b.size * (exports - 1) AS saved_bytes
ORDER BY exports DESC, bytes DESC, blob;
