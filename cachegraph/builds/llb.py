"""BuildKit's operations as Go writes them to JSON, so that their digests can be computed.

The structs mirror BuildKit's ``solver/pb`` field by field, in order, since Go writes fields in the order of the struct
and leaves out those that are empty.
"""

from __future__ import annotations

import msgspec

__all__ = ["CacheOpt", "Exec", "File", "ImageKey", "Meta", "Mount", "Platform", "Step", "go_json"]


class _Go(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A Go struct whose fields all have ``omitempty``."""


class Platform(_Go, frozen=True):
    """``pb.Platform``."""

    architecture: str = msgspec.field(default="", name="Architecture")
    os: str = msgspec.field(default="", name="OS")
    variant: str = msgspec.field(default="", name="Variant")
    os_version: str = msgspec.field(default="", name="OSVersion")
    os_features: tuple[str, ...] | None = msgspec.field(default=None, name="OSFeatures")


class HostIP(_Go, frozen=True):
    """``pb.HostIP``."""

    host: str = msgspec.field(default="", name="Host")
    ip: str = msgspec.field(default="", name="IP")


class Ulimit(_Go, frozen=True):
    """``pb.Ulimit``."""

    name: str = msgspec.field(default="", name="Name")
    soft: int = msgspec.field(default=0, name="Soft")
    hard: int = msgspec.field(default=0, name="Hard")


class Meta(_Go, frozen=True):
    """``pb.Meta``, without ``proxy_env``, which BuildKit clears."""

    args: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    cwd: str = ""
    user: str = ""
    extra_hosts: tuple[HostIP, ...] = ()
    hostname: str = ""
    ulimit: tuple[Ulimit, ...] = ()
    cgroup_parent: str = ""
    remove_mount_stubs_recursive: bool = False
    valid_exit_codes: tuple[int, ...] = ()


class TmpfsOpt(_Go, frozen=True):
    """``pb.TmpfsOpt``."""

    size: int = 0


class CacheOpt(_Go, frozen=True):
    """``pb.CacheOpt``."""

    id: str = msgspec.field(default="", name="ID")
    sharing: int = 0


class SecretOpt(_Go, frozen=True):
    """``pb.SecretOpt`` and ``pb.SSHOpt``."""

    id: str = msgspec.field(default="", name="ID")
    uid: int = 0
    gid: int = 0
    mode: int = 0
    optional: bool = False


class Mount(_Go, frozen=True):
    """``pb.Mount``."""

    input: int = 0
    selector: str = ""
    dest: str = ""
    output: int = 0
    readonly: bool = False
    mount_type: int = 0
    tmpfs_opt: TmpfsOpt | None = msgspec.field(default=None, name="TmpfsOpt")
    cache_opt: CacheOpt | None = None
    secret_opt: SecretOpt | None = None
    ssh_opt: SecretOpt | None = msgspec.field(default=None, name="SSHOpt")
    result_id: str = msgspec.field(default="", name="resultID")
    content_cache: int = 0


class SecretEnv(_Go, frozen=True):
    """``pb.SecretEnv``."""

    id: str = msgspec.field(default="", name="ID")
    name: str = ""
    optional: bool = False


class CDIDevice(_Go, frozen=True):
    """``pb.CDIDevice``."""

    name: str = ""
    optional: bool = False


class Exec(_Go, frozen=True):
    """``pb.ExecOp``."""

    meta: Meta | None = None
    mounts: tuple[Mount, ...] = ()
    network: int = 0
    security: int = 0
    secretenv: tuple[SecretEnv, ...] = ()
    cdi_devices: tuple[CDIDevice, ...] = ()


class NamedUser(_Go, frozen=True):
    """``pb.NamedUserOpt``."""

    name: str = ""
    input: int = 0


class User(_Go, frozen=True):
    """What ``pb.UserOpt`` holds."""

    by_name: NamedUser | None = None
    by_id: int = 0


class UserOpt(msgspec.Struct, frozen=True, rename="camel"):
    """``pb.UserOpt`` (``jsonUserOpt``)."""

    user: User = msgspec.field(default=User(), name="User")


class Owner(_Go, frozen=True):
    """``pb.ChownOpt``."""

    user: UserOpt | None = None
    group: UserOpt | None = None


class Copy(_Go, frozen=True):
    """``pb.FileActionCopy``."""

    src: str = ""
    dest: str = ""
    owner: Owner | None = None
    mode: int = 0
    follow_symlink: bool = False
    dir_copy_contents: bool = False
    attempt_unpack_docker_compatibility: bool = False
    create_dest_path: bool = False
    allow_wildcard: bool = False
    allow_empty_wildcard: bool = False
    timestamp: int = 0
    include_patterns: tuple[str, ...] = msgspec.field(default=(), name="include_patterns")
    exclude_patterns: tuple[str, ...] = msgspec.field(default=(), name="exclude_patterns")
    always_replace_existing_dest_paths: bool = False
    mode_str: str = ""
    required_paths: tuple[str, ...] = msgspec.field(default=(), name="required_paths")


class Mkfile(_Go, frozen=True):
    """``pb.FileActionMkFile``."""

    path: str = ""
    mode: int = 0
    data: bytes = b""
    owner: Owner | None = None
    timestamp: int = 0


class Mkdir(_Go, frozen=True):
    """``pb.FileActionMkDir``."""

    path: str = ""
    mode: int = 0
    make_parents: bool = False
    owner: Owner | None = None
    timestamp: int = 0


class Rm(_Go, frozen=True):
    """``pb.FileActionRm``."""

    path: str = ""
    allow_not_found: bool = False
    allow_wildcard: bool = False


class AnyAction(_Go, frozen=True):
    """The one action of a ``pb.FileAction``."""

    copy: Copy | None = None
    mkfile: Mkfile | None = None
    mkdir: Mkdir | None = None
    rm: Rm | None = None


class FileAction(msgspec.Struct, frozen=True, rename="camel"):
    """``pb.FileAction`` (``jsonFileAction``)."""

    input: int = 0
    secondary_input: int = 0
    output: int = 0
    action: AnyAction = msgspec.field(default=AnyAction(), name="Action")


class File(_Go, frozen=True):
    """``pb.FileOp``."""

    actions: tuple[FileAction, ...] = ()


class MergeInput(_Go, frozen=True):
    """``pb.MergeInput``, and the inputs of ``pb.DiffOp``."""

    input: int = 0


class Merge(_Go, frozen=True):
    """``pb.MergeOp``."""

    inputs: tuple[MergeInput, ...] = ()


class Diff(_Go, frozen=True):
    """``pb.DiffOp``."""

    lower: MergeInput | None = None
    upper: MergeInput | None = None


class SourceOp(_Go, frozen=True):
    """``pb.SourceOp``."""

    identifier: str = ""
    attrs: dict[str, str] = msgspec.field(default_factory=dict)


class AnyOp(_Go, frozen=True):
    """The one operation of a ``pb.Op``."""

    exec: Exec | None = None
    file: File | None = None
    merge: Merge | None = None
    diff: Diff | None = None
    source: SourceOp | None = None


class Op(msgspec.Struct, frozen=True):
    """``pb.Op`` (``jsonOp``)."""

    op: AnyOp = msgspec.field(default=AnyOp(), name="Op")
    platform: Platform | None = None


class Step(msgspec.Struct, frozen=True):
    """A step of provenance's ``llbDefinition``; inputs are ``<id of a step>:<output>``."""

    id: str = ""
    inputs: tuple[str, ...] | None = None
    op: Op = Op()


class ImageKey(msgspec.Struct, frozen=True):
    """What is hashed for an image (``source/containerimage``: mainManifestKey)."""

    digest: str = msgspec.field(name="Digest")
    os: str = msgspec.field(name="OS")
    arch: str = msgspec.field(name="Arch")
    variant: str | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="Variant")
    os_version: str | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="OSVersion")
    os_features: tuple[str, ...] | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="OSFeatures")


def go_json(value: object) -> bytes:
    """Encode as Go's ``json.Marshal`` does, which escapes what HTML gives a meaning."""
    text = msgspec.json.encode(value)
    for character in ("<", ">", "&", "\u2028", "\u2029"):
        text = text.replace(character.encode(), f"\\u{ord(character):04x}".encode())
    return text
