// title: Coverage over time
// question: How much of its build did each export of a ref cover?
// parameters:
//   source: one ref only; null for all
// columns:
//   source: spec of the ref
//   platform: platform of an inline cache's image, else null
//   export: id of the export
//   loaded_at: when it was loaded
//   importable: whether BuildKit imports it
//   steps: records with inputs that its own build asked for; keys of earlier builds are left out
//   loadable: those of them that have a loadable result
//   coverage: share of the steps that are loadable; null without steps
// severity: none, it is a list

WITH {source: null} AS param
MATCH (e:Export {complete: true})
WHERE e.source = coalesce(param.source, e.source)
OPTIONAL MATCH (e)-[:HAS_RECORD]->(r:Record {is_root: false})
  WHERE coalesce(r.uncached_cause, '') <> 'earlier-build'
WITH e, count(r) AS steps, count(CASE WHEN r.loadable THEN 1 END) AS loadable
RETURN e.source AS source, e.platform AS platform, e.id AS export, e.loaded_at AS loaded_at,
       e.importable AS importable, steps, loadable,
       CASE WHEN steps > 0 THEN toFloat(loadable) / steps END AS coverage
ORDER BY source, platform, loaded_at, export;
