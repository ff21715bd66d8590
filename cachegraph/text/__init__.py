"""Words for people, and the templates that hold them."""
