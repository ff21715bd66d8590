"""HTTP as every remote loader uses it: a client with limits, failures in words, requests side by side."""
