"""Commands around Neo4j: load, ask, and a server of one's own."""
