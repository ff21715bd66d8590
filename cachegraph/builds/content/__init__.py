"""The content BuildKit hashes: trees of files, what file operations make of them, and the digest of a selection.

::

    ignored = find_ignore_file(local_tree("."))
    tree = local_tree(".", ignored.patterns)            # a `Folder`, or `Unknown`
    hasher = Hasher(known=KnownFiles(path))             # one for all of a build
    content_digest(tree, [Selection(path="/src")], hasher)   # "sha256:...", or `Unknown` with its reason

What an operation selects from an input: `select_mounts` for the mounts of a RUN, `select_copies` for a file operation.
"""
