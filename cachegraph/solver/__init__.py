"""What a build gets out of caches: which keys match, what is loaded, what runs and why."""
