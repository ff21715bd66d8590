"""From a spec to exports: one module for each place where an export lives.

A loader is a pure decode plus a thin reader that fetches bytes::

    spec text --spec.parse--> Spec --catalogue--> loader(spec, options) --> [CacheExport, ..]
"""
