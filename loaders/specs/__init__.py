"""What users write to name an export: specs as buildx reads them, image references."""
