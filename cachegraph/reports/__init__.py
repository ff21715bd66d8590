"""Findings of any command for other programs: SARIF, JUnit, GitHub, Markdown; a baseline, severities of a project."""
