"""What an export is worth to a build: a word and a share, the causes of what is missing, what each costs, the cure."""
