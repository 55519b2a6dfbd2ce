# eigenx-tee rule set for the Kata agent's policy engine, version 1.
#
# The data half (policy_data, the last line of the finished policy.rego) names every container of the
# pod: image digest, command, environment, working directory, user, capabilities and mounts. These rules
# let the host create exactly those containers, in guest pull, and deny it every other way in.
# Written for regorus (v0 syntax with future keywords) and OPA 1.x alike. Known limits: the host decides
# how often and in which order a listed container is started, when it is told to stop, and what the network says.
package agent_policy

import future.keywords.every
import future.keywords.if
import future.keywords.in

# One decision for every request that the agent asks about; what is not named here is denied by the agent.
default AddARPNeighborsRequest := false
default AddSwapPathRequest := false
default AddSwapRequest := false
default AllowRequestsFailingPolicy := false
default CloseStdinRequest := false
default CopyFileRequest := false
default CreateContainerRequest := false
default CreateSandboxRequest := false
default DestroySandboxRequest := true
default ExecProcessRequest := false
default GetDiagnosticDataRequest := false
default GetIPTablesRequest := false
default GetMetricsRequest := false
default GetOOMEventRequest := true
default GetVolumeStatsRequest := false
default GuestDetailsRequest := true
default ListInterfacesRequest := false
default ListRoutesRequest := false
default MemAgentCompactSetRequest := false
default MemAgentMemcgSetRequest := false
default MemHotplugByProbeRequest := false
default OnlineCPUMemRequest := true
default PauseContainerRequest := false
default PullImageRequest := false
default ReadStreamRequest := false
default RemoveContainerRequest := true
default RemoveStaleVirtiofsShareMountsRequest := true
default ReseedRandomDevRequest := false
default ResizeVolumeRequest := false
default ResumeContainerRequest := false
default SetGuestDateTimeRequest := false
default SetIPTablesRequest := false
default SetPolicyRequest := false
default SignalProcessRequest := false
default StartContainerRequest := true
default StartTracingRequest := false
default StatsContainerRequest := true
default StopTracingRequest := false
default TtyWinResizeRequest := false
default UpdateContainerRequest := false
default UpdateEphemeralMountsRequest := false
default UpdateInterfaceRequest := false
default UpdateRoutesRequest := false
default VolumeStatsRequest := false
default WaitProcessRequest := true
default WriteStreamRequest := false

# Container logs are the only power that the data half can hand out.
ReadStreamRequest if policy_data.request_defaults.ReadStreamRequest == true

# What stops a container: SIGINT, SIGQUIT, SIGKILL, SIGTERM and, in web servers, SIGWINCH. Of the others some open a door:
# SIGUSR1 makes Node.js listen for a debugger.
SignalProcessRequest if input.signal in {2, 3, 9, 15, 28}

# ---- small helpers; none calls a builtin on a value of the wrong type, which strict engines abort on

empty(value) if value == null
empty(value) if value == []
empty(value) if value == {}
empty(value) if value == ""

unset(object_, key) if empty(object.get(object_, key, null))

annotation(key) := object.get(input.OCI.Annotations, key, "")

CRI_TYPE := "io.kubernetes.cri.container-type"
CRIO_TYPE := "io.kubernetes.cri-o.ContainerType"
KATA_TYPE := "io.katacontainers.pkg.oci.container_type"
IMAGE_NAME := "io.kubernetes.cri.image-name"

# ---- sandbox

CreateSandboxRequest if {
    unset(input, "guest_hook_path")
    unset(input, "kernel_modules")
    object.get(input, "sandbox_pidns", false) == false
    every storage in object.get(input, "storages", []) {
        sandbox_storage(storage)
    }
}

sandbox_storage(storage) if {
    storage.driver == "ephemeral"
    storage.source == "shm"
    storage.fstype == "tmpfs"
    storage.mount_point == "/run/kata-containers/sandbox/shm"
    unset(storage, "driver_options")
    options_within(storage, "^(noexec|nosuid|nodev|mode=1777|size=[0-9]{1,20})$")
    plain_storage(storage)
}

# ---- containers

CreateContainerRequest if {
    common_request
    sandbox_container
}

CreateContainerRequest if {
    common_request
    some container in policy_data.containers
    app_container(container)
}

# What no container of the pod may ask for, whichever it is.
common_request if {
    regex.match("^[A-Za-z0-9][A-Za-z0-9_.-]*$", input.container_id)
    object.get(input, "sandbox_pidns", false) == false
    unset(input, "shared_mounts")
    unset(input, "string_user")
    unset(input, "devices")

    # Streams over ports of their own would pass by ReadStreamRequest and WriteStreamRequest.
    every port in ["stdin_port", "stdout_port", "stderr_port"] {
        object.get(input, port, 0) in {0, null}
    }

    oci := input.OCI
    unset(oci, "Hooks")
    unset(oci, "Solaris")
    unset(oci, "Windows")
    oci.Root.Path == rootfs

    linux := oci.Linux
    unset(linux, "Devices")
    unset(linux, "UIDMappings")
    unset(linux, "GIDMappings")
    unset(linux, "MountLabel")
    unset(linux, "RootfsPropagation")
    unset(linux, "IntelRdt")

    # A filter can answer a system call without making it: getrandom, setuid or fsync would only seem to work.
    unset(linux, "Seccomp")
    every resource in ["Devices", "BlockIO", "Network"] {
        unset(object.get(linux, "Resources", {}), resource)
    }
    every name, value in object.get(linux, "Sysctl", {}) {
        allowed_sysctls[name] == value
    }
    namespaces_isolated
    every key in ["MaskedPaths", "ReadonlyPaths"] {
        hides_kernel_only(object.get(linux, key, []))
    }

    unset(oci.Process, "SelinuxLabel")
    unset(oci.Process.User, "Username")
    object.get(oci.Process, "Terminal", false) == false

    every key, _ in oci.Annotations {
        allowed_annotation(key)
    }
    every mount in oci.Mounts {
        count([other | some other in oci.Mounts; other.destination == mount.destination]) == 1
    }
}

rootfs := concat("", ["/run/kata-containers/", input.container_id, "/rootfs"])

allowed_sysctls := {
    "net.ipv4.ip_unprivileged_port_start": "0",
    "net.ipv4.ping_group_range": "0 2147483647",
}

# Own mount, IPC and UTS namespaces; the network's is the pod's.
namespaces_isolated if {
    types := {namespace.Type | some namespace in input.OCI.Linux.Namespaces}
    {"ipc", "uts", "mount"} - types == set()
    every namespace in input.OCI.Linux.Namespaces {
        allowed_namespace(namespace)
    }
}

allowed_namespace(namespace) if namespace.Type == "network"
allowed_namespace(namespace) if {
    namespace.Type in {"ipc", "uts", "mount", "pid", "cgroup"}
    namespace.Path == ""
}

# Masking a file of the image would change what the app does.
hides_kernel_only(paths) if paths == null
hides_kernel_only(paths) if {
    every path in paths {
        regex.match("^/(proc|sys)/[A-Za-z0-9_/-]+$", path)
    }
}

# Others could ask for devices (CDI) or change how the agent treats the container.
allowed_annotation(key) if startswith(key, "io.kubernetes.cri.")
allowed_annotation(key) if key in {
    KATA_TYPE,
    "io.katacontainers.pkg.oci.bundle_path",
    "nerdctl/network-namespace",
}

# The pause container. The agent unpacks its built-in pause bundle when the pull metadata says sandbox, so
# the metadata must say it: an image of the host's choice could bring a /pause of its own.
sandbox_container if {
    annotation(CRI_TYPE) == "sandbox"
    annotation(KATA_TYPE) == "pod_sandbox"

    process := input.OCI.Process
    process.Args == ["/pause"]
    every variable in object.get(process, "Env", []) {
        sandbox_variable(variable)
    }

    count(input.storages) == 1
    some storage in input.storages
    metadata := pull_metadata(storage)
    metadata[CRI_TYPE] == "sandbox"

    every mount in input.OCI.Mounts {
        runtime_mount(mount)
    }
}

sandbox_variable(variable) if variable == default_path
sandbox_variable(variable) if regex.match("^HOSTNAME=[A-Za-z0-9_.-]{0,253}$", variable)

default_path := "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

app_container(container) if {
    annotation(CRI_TYPE) == "container"
    annotation(KATA_TYPE) == "pod_container"
    annotation("io.kubernetes.cri.container-name") == container.name

    pulls_image(container)
    every storage in input.storages {
        container_storage(storage)
    }

    process := input.OCI.Process
    process.Args == container.args
    process.Cwd == container.cwd
    process.NoNewPrivileges == container.no_new_privileges
    input.OCI.Root.Readonly == container.readonly_root
    process.User.UID == container.user.uid
    process.User.GID == container.user.gid
    every gid in object.get(process.User, "AdditionalGids", []) {
        gid in container.user.additional_gids
    }
    every kind in ["Ambient", "Bounding", "Effective", "Inheritable", "Permitted"] {
        capabilities_within(object.get(process.Capabilities, kind, []), container)
    }

    environment_matches(container, process.Env)

    every mount in input.OCI.Mounts {
        container_mount(container, mount)
    }
}

capabilities_within(granted, container) if granted == null
capabilities_within(granted, container) if {
    every capability in granted {
        capability in container.capabilities
    }
}

# ---- image: one pull, and the agent's source, its metadata and the container's annotation agree

pulls_image(container) if {
    pulls := [storage | some storage in input.storages; storage.driver == "image_guest_pull"]
    count(pulls) == 1
    metadata := pull_metadata(pulls[0])
    metadata[CRI_TYPE] == "container"
    metadata[IMAGE_NAME] == pulls[0].source
    annotation(IMAGE_NAME) == pulls[0].source

    # The digest says what is pulled; the name before it only says from where.
    parts := split(pulls[0].source, "@")
    count(parts) == 2
    parts[1] == container.image_digest
}

# The agent takes the first driver option named image_guest_pull and ignores the rest: one is allowed.
pull_metadata(storage) := metadata if {
    storage.driver == "image_guest_pull"
    storage.fstype == "overlay"
    storage.mount_point == rootfs
    unset(storage, "options")
    plain_storage(storage)
    count(storage.driver_options) == 1
    startswith(storage.driver_options[0], "image_guest_pull=")
    volume := json.unmarshal(substring(storage.driver_options[0], count("image_guest_pull="), -1))
    metadata := volume.metadata
    object.get(metadata, CRIO_TYPE, "absent") == "absent"
}

# ---- storages besides the image: scratch space that the guest makes itself, in its own memory

# Never a block device of the host: agents that do not know the option to encrypt it mount it as it is.
container_storage(storage) if storage.driver == "image_guest_pull"
container_storage(storage) if scratch_storage(storage)

scratch_storage(storage) if {
    storage.driver == "local"
    storage.source == "local"
    storage.fstype == "local"
    regex.match("^/run/kata-containers/shared/containers/[a-z0-9]+/rootfs/local/[A-Za-z0-9._-]+$", storage.mount_point)
    not dotted(storage.mount_point)
    unset(storage, "driver_options")
    options_within(storage, "^(mode=0777|fsgid=[0-9]{1,10})$")
    plain_storage(storage)
}

scratch_storage(storage) if {
    storage.driver == "ephemeral"
    storage.source == "tmpfs"
    storage.fstype == "tmpfs"
    regex.match("^/run/kata-containers/sandbox/ephemeral/[A-Za-z0-9._-]+$", storage.mount_point)
    not dotted(storage.mount_point)
    unset(storage, "driver_options")
    options_within(storage, "^fsgid=[0-9]{1,10}$")
    plain_storage(storage)
}

# The agent acts on some options before it looks at the driver (X-kata.multi-layer=true mounts the source as a layer), so
# only those pass that the runtime writes for this driver.
options_within(storage, expression) if {
    every option in object.get(storage, "options", []) {
        regex.match(expression, option)
    }
}

# The fields that the runtime leaves empty for what the guest makes itself.
plain_storage(storage) if {
    unset(storage, "fs_group")
    object.get(storage, "shared", false) == false
}

dotted(path) if endswith(path, "/.")
dotted(path) if contains(path, "/..")

# ---- environment: every listed variable once, nothing else but the named patterns

environment_matches(container, variables) if {
    every variable in container.env {
        variable in variables
    }
    every variable in variables {
        allowed_variable(container, variable)
    }
    names := [split(variable, "=")[0] | some variable in variables]
    count(names) == count({name | some name in names})
}

allowed_variable(container, variable) if variable in container.env
allowed_variable(container, variable) if {
    some pattern in policy_data.env_patterns
    some expression in env_patterns[pattern]
    regex.match(expression, variable)
}

env_patterns := {
    "hostname": ["^HOSTNAME=[A-Za-z0-9_.-]{1,253}$"],
    "kubernetes_links": ["^KUBERNETES_(SERVICE|PORT)[A-Z0-9_]*=[a-z0-9.:/\\[\\]]{1,64}$"],
    "service_links": [
        "^[A-Z][A-Z0-9_]*_SERVICE_HOST=[0-9a-f.:]{2,45}$",
        "^[A-Z][A-Z0-9_]*_SERVICE_PORT(_[A-Z0-9_]+)?=[0-9]{1,5}$",
        "^[A-Z][A-Z0-9_]*_PORT=(tcp|udp|sctp)://[0-9a-f.:\\[\\]]{2,53}$",
        "^[A-Z][A-Z0-9_]*_PORT_[0-9]{1,5}_(TCP|UDP|SCTP)=(tcp|udp|sctp)://[0-9a-f.:\\[\\]]{2,53}$",
        "^[A-Z][A-Z0-9_]*_PORT_[0-9]{1,5}_(TCP|UDP|SCTP)_PROTO=(tcp|udp|sctp)$",
        "^[A-Z][A-Z0-9_]*_PORT_[0-9]{1,5}_(TCP|UDP|SCTP)_PORT=[0-9]{1,5}$",
        "^[A-Z][A-Z0-9_]*_PORT_[0-9]{1,5}_(TCP|UDP|SCTP)_ADDR=[0-9a-f.:]{2,45}$",
    ],
}

# ---- mounts: the kernel's, the pod's four files, and what the container lists

container_mount(container, mount) if runtime_mount(mount)
container_mount(container, mount) if {
    some listed in container.mounts
    listed.destination == mount.destination
    mount.type_ in mount_types[listed.kind]
    read_only_as_listed(listed, mount)
    listed_source(listed, mount)
}

# The runtime leaves the type of a "local" volume as it is; the mount is a bind by its options.
mount_types := {
    "files": {"bind"},
    "scratch": {"bind", "local"},
}

read_only_as_listed(listed, mount) if {
    listed.read_only == true
    "ro" in mount.options
    not "rw" in mount.options
}
read_only_as_listed(listed, mount) if {
    listed.read_only == false
    not "ro" in mount.options
}

listed_source(listed, mount) if {
    listed.kind == "scratch"
    some storage in input.storages
    scratch_storage(storage)
    storage.mount_point == mount.source

    # The runtime names the storage after the volume: two volumes never become one, and none takes the place of another.
    endswith(mount.source, concat("", ["/", listed.volume]))
}
listed_source(listed, mount) if {
    listed.kind == "files"
    listed.read_only == true
    regex.match("^/run/kata-containers/shared/containers/[a-z0-9]+-[a-z0-9]{16}-[A-Za-z0-9._-]+$", mount.source)
    not dotted(mount.source)
}

kernel_mounts := {
    "/proc": {"proc"},
    "/dev": {"tmpfs"},
    "/dev/pts": {"devpts"},
    "/dev/mqueue": {"mqueue"},
    "/sys": {"sysfs"},
    "/sys/fs/cgroup": {"cgroup", "cgroup2"},
}

runtime_mount(mount) if {
    mount.type_ in kernel_mounts[mount.destination]
    mount.source in {"proc", "tmpfs", "devpts", "mqueue", "sysfs", "cgroup", "cgroup2"}
}
runtime_mount(mount) if {
    mount.destination == "/dev/shm"
    mount.source == "/run/kata-containers/sandbox/shm"
    mount.type_ == "bind"
}
runtime_mount(mount) if {
    mount.destination == "/dev/shm"
    mount.source == "shm"
    mount.type_ == "tmpfs"
}
runtime_mount(mount) if {
    suffix := pod_files[mount.destination]
    mount.type_ == "bind"
    regex.match(concat("", ["^/run/kata-containers/shared/containers/[a-z0-9]+-[a-z0-9]{16}-", suffix, "$"]), mount.source)
}

pod_files := {
    "/etc/hosts": "hosts",
    "/etc/hostname": "hostname",
    "/etc/resolv.conf": "resolv[.]conf",
    "/dev/termination-log": "termination-log",
}

# ---- copying files into the guest: the four pod files, and below the sources of listed "files" mounts

CopyFileRequest if {
    regular_file
    regex.match("^/run/kata-containers/shared/containers/[a-z0-9]+-[a-z0-9]{16}-(hosts|hostname|resolv[.]conf|termination-log)$", input.path)
}

CopyFileRequest if {
    files_mounted
    copied_kind
    regex.match("^/run/kata-containers/shared/containers/[a-z0-9]+-[a-z0-9]{16}-[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$", input.path)
    not parent_step(input.path)
}

files_mounted if {
    some container in policy_data.containers
    some mount in container.mounts
    mount.kind == "files"
}

# Kubernetes names its projected directories "..data" and "..2006_01_02", so only a bare ".." is a step up.
parent_step(path) if ".." in split(path, "/")

# Kinds by the file type bits of st_mode: regular 0100000, directory 0040000, symbolic link 0120000.
regular_file if {
    input.file_mode >= 32768
    input.file_mode < 36864
    unset(input, "symlink_src")
}

copied_kind if regular_file
copied_kind if {
    input.file_mode >= 16384
    input.file_mode < 20480
}
copied_kind if {
    input.file_mode >= 40960
    input.file_mode < 45056
    unset(input, "symlink_src")
    link_stays_inside(input.data)
}

# The target's bytes: relative ("..data/name", "..2006_01"), and no step up in it.
link_stays_inside(target) if {
    target[0] == 46
    target[1] == 46
    target[2] != 47
    not steps_up(target)
}

steps_up(target) if {
    some i, byte in target
    byte == 47
    target[i + 1] == 46
    target[i + 2] == 46
}

# ---- network: everything but the loopback device, which carries the attestation agent

# The agent finds the device by its hardware address, and the loopback device's is all zero.
UpdateInterfaceRequest if {
    regex.match("^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$", input.interface.hwAddr)
    regex.match("[1-9A-Fa-f]", input.interface.hwAddr)
    input.interface.name != "lo"
    object.get(input.interface, "device", "") != "lo"
    every address in object.get(input.interface, "IPAddresses", []) {
        not loopback(address.address)
    }
}

UpdateRoutesRequest if {
    every route in input.routes.Routes {
        route.device != "lo"
        not loopback(object.get(route, "dest", ""))
        not loopback(object.get(route, "source", ""))
    }
}

AddARPNeighborsRequest if {
    every neighbor in input.neighbors.ARPNeighbors {
        neighbor.device != "lo"
        not loopback(neighbor.toIPAddress.address)
    }
}

loopback(address) if startswith(address, "127.")
loopback(address) if regex.match("^[0:]*:0*1(/|$)", address)
loopback(address) if regex.match("^[0:]*:0[.]0[.]0[.]1(/|$)", address)
