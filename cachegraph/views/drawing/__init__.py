"""The drawing of the record graph: layout, folding, overlays, SVG."""
