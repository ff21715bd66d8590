"""What a build takes from elsewhere, read before it runs: images, git repositories, downloads, folders."""
