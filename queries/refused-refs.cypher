// title: Refs that BuildKit refuses
// question: Which refs would BuildKit refuse, and why?
// parameters:
//   kind: local, registry, inline, s3, azblob, gha, daemon or config; null for all
// columns:
//   source: spec of the ref
//   platform: platform of an inline cache's image, else null
//   export: id of the export
//   kind: where it is stored
//   error: BuildKit's words
//   loaded_at: when it was loaded
// severity: error

WITH {kind: null} AS param
MATCH (e:Export {complete: true, current: true, importable: false})
WHERE e.kind = coalesce(param.kind, e.kind)
RETURN e.source AS source, e.platform AS platform, e.id AS export, e.kind AS kind, e.import_error AS error,
       e.loaded_at AS loaded_at
ORDER BY source, platform;
