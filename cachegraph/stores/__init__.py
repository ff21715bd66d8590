"""Graph stores: Neo4j."""
