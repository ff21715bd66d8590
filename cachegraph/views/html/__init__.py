"""Pages and notebook displays."""
