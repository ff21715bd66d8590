// title: Size of the config
// question: How near is the config to BuildKit's limit?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning or note
//   export: id of the export
//   record: null: it is about the whole config
//   digest: null
//   bytes: bytes of the config
//   limit: bytes after which BuildKit refuses it; null for none
//   records: number of records
//   layers_bytes: bytes that describe layers
//   inputs_bytes: bytes that describe inputs
//   results_bytes: bytes that describe results
//   other_bytes: digests and the rest
//   records_left: how many more records fit; null without a limit
// severity: error over the limit, warning from 80 % on, else note

WITH {export: null} AS param
MATCH (e:Export {complete: true})
WHERE e.other_bytes IS NOT NULL // a daemon has no config to weigh
  AND (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
WITH e, COUNT { (e)-[:HAS_RECORD]->() } AS records, e.bytes_limit AS limit
RETURN CASE
         WHEN limit IS NULL OR e.bytes <= 0.8 * limit THEN 'note'
         WHEN e.bytes > limit THEN 'error'
         ELSE 'warning'
       END AS severity,
       e.id AS export, null AS record, null AS digest, e.bytes AS bytes, limit, records,
       e.layers_bytes AS layers_bytes, e.inputs_bytes AS inputs_bytes, e.results_bytes AS results_bytes,
       e.other_bytes AS other_bytes,
       CASE
         WHEN limit IS NULL OR records = 0 THEN null
         WHEN e.bytes >= limit THEN 0
         ELSE (limit - e.bytes) * records / e.bytes
       END AS records_left
ORDER BY e.source, e.platform, e.id;
