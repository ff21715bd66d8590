// title: Size of the config
// question: How near is the config to BuildKit's limit?
// parameters:
//   export: id of an export, or source of current ones; null for all current ones
// columns:
//   severity: error, warning, note
//   export: Id of the export
//   record: Index in the export's own records; null where the finding is not about one record
//   digest: Digest of the record, or of the blob concerned
//   bytes: Bytes of the config
//   limit: Bytes after which BuildKit refuses it; null where there is no limit
//   records: Number of records
//   layers_bytes: Bytes of it that describe layers
//   inputs_bytes: Bytes of it that describe inputs of records
//   results_bytes: Bytes of it that describe results of records
//   other_bytes: Bytes of it for digests and the rest
//   records_left: How many more records of the present average size fit; null without a limit or without records
// severity: error over the limit, warning from 80 % on, else note; a note where import-errors says it already

WITH {export: null} AS param
MATCH (e:Export {complete: true})
WHERE (e.id = param.export OR e.current AND coalesce(param.export, e.source) = e.source)
WITH e WHERE e.other_bytes IS NOT NULL // a daemon has no config to weigh
WITH e, null AS record, null AS digest, e.bytes AS bytes, e.bytes_limit AS limit, e.records AS records,
     e.layers_bytes AS layers_bytes, e.inputs_bytes AS inputs_bytes, e.results_bytes AS results_bytes,
     e.other_bytes AS other_bytes, e.records_left AS records_left, CASE WHEN e.importable THEN 0 ELSE 1 END AS refused
RETURN CASE
         WHEN refused > 0 THEN 'note'
         WHEN bytes > limit THEN 'error'
         WHEN bytes > 0.8 * limit THEN 'warning'
         ELSE 'note'
       END AS severity,
       e.id AS export, record, digest, bytes, limit, records, layers_bytes, inputs_bytes, results_bytes, other_bytes,
       records_left
ORDER BY e.source, e.platform, e.id, record;
