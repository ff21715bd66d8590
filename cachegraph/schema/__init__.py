"""The graph declared once: labels, properties, rows by name, windows on an export."""
