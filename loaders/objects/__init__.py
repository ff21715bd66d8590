"""What object stores share: names, annotations, probing, strays."""
