"""Build records (``.dockerbuild``): what one build did, step by step, and the cache keys it asked for."""

from cachegraph.builds.dockerbuild.budget import Budget
from cachegraph.builds.dockerbuild.model import BuildRecord, CacheImport, RecordStep, RecordWarning
from cachegraph.builds.dockerbuild.reading import is_record, load_record

__all__ = ["Budget", "BuildRecord", "CacheImport", "RecordStep", "RecordWarning", "is_record", "load_record"]
