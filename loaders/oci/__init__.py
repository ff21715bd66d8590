"""What the OCI formats hold: manifests, images with inline cache, blobs, and the exports they lead to."""
