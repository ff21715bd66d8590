"""RUN: its command, mounts and environment (BuildKit ``dockerfile2llb``: ``dispatchRun``, ``dispatchRunMounts``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cachegraph.builds import llb
from cachegraph.builds.dockerfile import instructions as read
from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.gotext import base, clean, is_absolute, join
from cachegraph.builds.dockerfile.heredocs import read_mark, without_tabs
from cachegraph.builds.dockerfile.mounts import Mount, parse_mount
from cachegraph.builds.dockerfile.paths import is_absolute_on, llb_path, to_slash
from cachegraph.builds.dockerfile.vertices import FileStep, FileVertex, RunMount, RunVertex, Vertex
from cachegraph.builds.operations import Label

if TYPE_CHECKING:
    from cachegraph.builds.dockerfile.dispatch import Dispatcher, Expand
    from cachegraph.builds.dockerfile.stages import Command, StageState

__all__ = ["run"]

_SHELL = ("/bin/sh", "-c")
_SHELL_WINDOWS = ("cmd", "/S", "/C")
_NETWORKS = {"default": 0, "host": 1, "none": 2}
_SHARING = {"": 0, "shared": 0, "private": 1, "locked": 2}
_PIPES = "/dev/pipes/"
_SHM = "/dev/shm"  # noqa: S108 - in the build, not here
_SECRET_MODE = 0o400
_SSH_MODE = 0o600


@dataclass(slots=True, kw_only=True)
class _Mounts:
    """What the mounts of a RUN come to."""

    mounts: list[RunMount] = field(default_factory=list)
    secrets: list[llb.Mount] = field(default_factory=list)
    secret_env: list[llb.SecretEnv] = field(default_factory=list)
    ssh: list[llb.Mount] = field(default_factory=list)


def run(dispatcher: Dispatcher, state: StageState, command: Command, instruction: read.Run, expand: Expand) -> None:
    """Carry out RUN.

    Raises
    ------
    DockerfileError
    """
    # A command may look at every file of its stage.
    mounts = [parse_mount(text, expand) for text in instruction.mounts]
    state.paths.add("/")
    made = _Mounts()
    label = _label(state, instruction)
    arguments = _arguments(state, instruction, label, made)
    for mount, source in zip(mounts, command.sources, strict=True):
        _add_mount(dispatcher, state, mount, source, made)
    if dispatcher.options.shm_size:
        made.mounts.append(RunMount(target=_SHM, tmpfs=llb.TmpfsOpt(size=dispatcher.options.shm_size)))
    before = state.state
    if not arguments:
        raise DockerfileError("arguments are required")
    vertex = RunVertex(
        label=label,
        meta=llb.Meta(
            args=arguments,
            env=_environment(before.env, made.ssh),
            cwd=before.folder,
            user=before.user,
            extra_hosts=dispatcher.options.extra_hosts,
            hostname=before.hostname,
            ulimit=dispatcher.options.ulimits,
            cgroup_parent=dispatcher.options.cgroup_parent,
            remove_mount_stubs_recursive=True,
        ),
        mounts=(RunMount(target="/", source=before.output), *made.mounts),
        last_mounts=(*made.secrets, *made.ssh),
        secret_env=tuple(made.secret_env),
        devices=tuple(llb.CDIDevice(name=name, optional=not required) for name, required in instruction.devices),
        network=_NETWORKS[instruction.network] or before.network,
        insecure=instruction.insecure,
        platform=before.platform,
        unknown=before.unknown,
        ignores_cache=state.no_cache,
    )
    state.state = replace(before, output=vertex)


def _label(state: StageState, instruction: read.Run) -> Label:
    place = instruction.place
    return Label(name=place.text, stage=state.title, start=place.start, end=place.end)


def _environment(env: object, ssh: Sequence[llb.Mount]) -> tuple[str, ...]:
    assert isinstance(env, dict)
    entries = [f"{name}={value}" for name, value in env.items()]
    if ssh and "SSH_AUTH_SOCK" not in env:
        entries.append(f"SSH_AUTH_SOCK={ssh[0].dest}")
    return tuple(entries)


def _arguments(state: StageState, instruction: read.Run, label: Label, made: _Mounts) -> tuple[str, ...]:
    """Give the command: the shell's in shell form, with the heredocs in it."""
    arguments = instruction.arguments
    if instruction.heredocs:
        if len(arguments) != 1 or not instruction.in_shell:
            raise DockerfileError("a heredoc in a command that is no text for the shell")
        first = instruction.heredocs[0]
        if read_mark(arguments[0]) is None:
            documents = "".join(f"\n{heredoc.text}{heredoc.mark.name}" for heredoc in instruction.heredocs)
            arguments = (arguments[0] + documents,)
        else:
            body = without_tabs(first.text) if first.mark.chomps else first.text
            if body.startswith("#!") and state.image.platform.os != "windows":
                arguments = (_script(first.mark.name, body, label, made),)
            else:
                arguments = (body,)
    if not instruction.in_shell:
        return arguments
    shell = state.image.shell or (_SHELL_WINDOWS if state.image.platform.os == "windows" else _SHELL)
    return (*shell, " ".join(arguments))


def _script(name: str, body: str, label: Label, made: _Mounts) -> str:
    """Put a heredoc that begins with ``#!`` into a file, which is run."""
    mkfile = llb.Mkfile(path=llb_path("/", name), mode=0o755, data=body.encode(errors="surrogateescape"), timestamp=-1)
    document = FileVertex(
        label=replace(label, name="[internal] preparing inline document"),
        steps=(FileStep(action=llb.AnyAction(mkfile=mkfile)),),
    )
    made.mounts.append(RunMount(target=_PIPES, source=document, readonly=True, selector="/"))
    return join(_PIPES, name)


def _add_mount(dispatcher: Dispatcher, state: StageState, mount: Mount, source: StageState, made: _Mounts) -> None:
    from_stage = mount.source_stage or ("scratch" if mount.type == "cache" else "")
    if from_stage and not source.is_ready:
        raise DockerfileError(
            f'cannot mount from stage "{from_stage}" to "{mount.target}", '
            "stage needs to be defined before current command"
        )
    if mount.type == "secret":
        _add_secret(state, mount, made)
    elif mount.type == "ssh":
        _add_ssh(mount, made)
    else:
        made.mounts.append(_folder_mount(dispatcher, state, mount, source if from_stage else None))
        (source.paths if from_stage else state.context_paths).add(join("/", mount.source))


def _folder_mount(dispatcher: Dispatcher, state: StageState, mount: Mount, source: StageState | None) -> RunMount:
    output: Vertex | None = dispatcher.context if source is None else source.state.output
    if mount.type == "tmpfs":
        output = None
    cache = None
    if mount.type == "cache":
        name = mount.id or clean(mount.target)
        namespace = dispatcher.options.cache_namespace
        cache = llb.CacheOpt(id=f"{namespace}/{name}", sharing=_SHARING[mount.sharing])
    target = mount.target
    if not is_absolute(clean(target)):
        target = join("/", state.state.folder, target)
    if target == "/":
        raise DockerfileError(f'invalid mount target "{target}"')
    selector = join("/", mount.source)
    if selector == "/":
        selector = ""
        if not mount.mode is mount.uid is mount.gid is None:
            output = _with_permissions(output, mount)
            selector = "/cache"
    return RunMount(
        target=target,
        source=output,
        readonly=mount.is_readonly,
        no_output=mount.type == "bind" and not mount.is_readonly,
        selector=selector,
        cache=cache,
        tmpfs=llb.TmpfsOpt(size=mount.size) if mount.type == "tmpfs" else None,
    )


def _with_permissions(output: Vertex | None, mount: Mount) -> FileVertex:
    """Make the folder that a cache begins as, where it has an owner or a mode."""
    mode = 0o755 if mount.mode is None else mount.mode
    mkdir = llb.Mkdir(
        path="/cache",
        mode=mode & 0o777,
        owner=llb.Owner(
            user=llb.UserOpt(user=llb.User(by_id=mount.uid or 0)),
            group=llb.UserOpt(user=llb.User(by_id=mount.gid or 0)),
        ),
        timestamp=-1,
    )
    return FileVertex(
        label=Label(name="[internal] setting cache mount permissions"),
        base=output,
        steps=(FileStep(action=llb.AnyAction(mkdir=mkdir)),),
    )


def _add_secret(state: StageState, mount: Mount, made: _Mounts) -> None:
    is_windows = state.platform is not None and state.platform.os == "windows"
    target = to_slash(mount.target, "windows") if is_windows else mount.target
    name = mount.source or mount.id or base(target)
    if is_windows and target and not is_absolute_on(target, "windows"):
        raise DockerfileError(f'secret target "{target}" must be an absolute path with forward slashes on Windows')
    if mount.env is not None:
        made.secret_env.append(llb.SecretEnv(id=name, name=mount.env, optional=not mount.required))
    elif not target:
        if is_windows:
            raise DockerfileError("secret target is required on Windows")
        target = "/run/secrets/" + base(name)
    if target:
        option = _permissions(name, mount, _SECRET_MODE)
        made.secrets.append(llb.Mount(input=-1, dest=target, mount_type=1, secret_opt=option))


def _add_ssh(mount: Mount, made: _Mounts) -> None:
    if mount.source:
        raise DockerfileError("ssh does not support source")
    target = mount.target or f"/run/buildkit/ssh_agent.{len(made.ssh)}"
    option = _permissions(mount.id, mount, _SSH_MODE)
    made.ssh.append(llb.Mount(input=-1, dest=target, mount_type=2, ssh_opt=option))


def _permissions(name: str, mount: Mount, mode: int) -> llb.SecretOpt:
    return llb.SecretOpt(
        id=name,
        uid=mount.uid or 0,
        gid=mount.gid or 0,
        mode=mode if mount.mode is None else mount.mode,
        optional=not mount.required,
    )
