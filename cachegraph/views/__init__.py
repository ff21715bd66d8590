"""Ways to look at a graph: data frames, NetworkX, tables, files, notebooks."""
