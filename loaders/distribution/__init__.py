"""The registry protocol: requests, authentication, the credentials that Docker keeps."""
