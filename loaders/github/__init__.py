"""The cache service of GitHub Actions: its API and its entries."""
