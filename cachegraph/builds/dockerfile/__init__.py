"""From a Dockerfile to the operations that BuildKit makes of it: reading, substitution, stages, instructions."""
