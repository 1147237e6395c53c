# Sourced by build, test and demo: packages on Debian and Ubuntu.  Installs only what is missing, through the machine's own apt; what its
# release does not have comes from another release of the same mirror, through lists that live in build/ and leave the machine's own alone.

say() {
    echo "${0##*/}: $*"
}

die() {
    echo "${0##*/}: $*" >&2
    exit 2
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "needs root or sudo for: $*"
    fi
}

# packages_missing name…: those of them that are not installed
packages_missing() {
    local name
    for name in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || echo "$name"
    done
}

# packages_need name|file.deb…: installs what is missing; the lists are fetched when they are empty or too old for the mirror
packages_need() {
    local missing log="$root/build/apt.log"
    command -v apt-get >/dev/null || { say "no apt-get here: $* must be installed already"; return 0; }
    mapfile -t missing < <(packages_missing "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    mkdir -p "$root/build"
    say "installing ${missing[*]##*/}"
    local install=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${missing[@]}")
    as_root "${install[@]}" >"$log" 2>&1 </dev/null && return
    as_root apt-get -qq update >"$log" 2>&1 </dev/null || true
    as_root "${install[@]}" >>"$log" 2>&1 </dev/null || { tail -n 15 "$log" >&2; die "apt-get could not install ${missing[*]} (see $log)"; }
}

# apt_mirror: "codename site" of the mirror that the machine's own release comes from
apt_mirror() {
    local codename
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    apt-get indextargets --format '$(RELEASE) $(SITE)' 'Created-By: Packages' 2>/dev/null |
        awk -v name="$codename" '$1 == name || $1 == "stable" {print; exit}'
}

# apt_private deb|deb-src release: sets apt_options to a private view of that release
apt_private() {
    local dir="$root/build/apt/$2-$1" mirror signed=
    apt_options=(-o "Dir::Etc::sourcelist=$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::Lists=$dir/lists"
                 -o "Dir::Cache=$dir/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none)
    mirror=$(apt_mirror)
    if [ -z "$mirror" ]; then
        as_root apt-get -qq update >/dev/null || true
        mirror=$(apt_mirror)
    fi
    [ -n "$mirror" ] || die "apt knows no mirror for this release"
    mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
    [ ! -e /usr/share/keyrings/debian-archive-keyring.gpg ] || signed="[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    [ "$(. /etc/os-release && echo "$ID")" != ubuntu ] || signed="[signed-by=/usr/share/keyrings/ubuntu-archive-keyring.gpg]"
    echo "$1 $signed ${mirror#* } $2 main" >"$dir/sources.list"
    apt-get -qq "${apt_options[@]}" update || die "apt-get could not read the lists of $2"
}

# packages_unpack dir name…: unpacks packages, with what they depend on and this machine lacks, below dir: nothing is installed or started
packages_unpack() {
    local dir="$1" file log="$root/build/apt.log" download
    shift
    mkdir -p "$dir.debs/partial" "$dir"
    say "unpacking $*"
    download=(apt-get -qq -y --no-install-recommends -o APT::Sandbox::User=root -o Debug::NoLocking=1 -o "Dir::Cache::archives=$dir.debs"
              --download-only install "$@")
    "${download[@]}" >"$log" 2>&1 </dev/null || { as_root apt-get -qq update >"$log" 2>&1 || true; "${download[@]}" >>"$log" 2>&1 </dev/null; } ||
        { tail -n 5 "$log" >&2; die "apt-get could not download $*"; }
    for file in "$dir.debs"/*.deb; do
        dpkg-deb -x "$file" "$dir"
    done
}

# packages_whole dir release name…: unpacks packages of another release of Debian with all that they depend on, the C library too: what is in
# them runs by the dynamic loader that is in dir
packages_whole() {
    local dir="$1" release="$2" file log="$root/build/apt.log"
    shift 2
    apt_private deb "$release"
    mkdir -p "$dir.debs/partial" "$dir.part"
    : >"$dir.debs/status"
    say "unpacking $* of Debian $release"
    apt-get -qq -y "${apt_options[@]}" --no-install-recommends -o "Dir::State::status=$dir.debs/status" -o Debug::NoLocking=1 \
            -o "Dir::Cache::archives=$dir.debs" --download-only install "$@" >"$log" 2>&1 </dev/null ||
        { tail -n 5 "$log" >&2; die "apt-get could not download $* of $release"; }
    for file in "$dir.debs"/*.deb; do
        dpkg-deb -x "$file" "$dir.part"
    done
    mv "$dir.part" "$dir"
}
