"""What is wrong with settings: rules over readers and writers of caches, and over Dockerfiles. No rule guesses."""
