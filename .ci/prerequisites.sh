# shellcheck shell=bash
# Sourced by ./demo, ./test and .ci/run: what a build needs, installed where that is ours to do.

# need_packages PACKAGE...: installs Debian packages when this is root on Debian or Ubuntu; else
# names the command and fails. Everything it prints goes to standard error.
need_packages() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "installing $*" >&2
        if { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends "$@"; } </dev/null >&2; then
            return 0
        fi
        echo "could not install $*: see above" >&2
    elif command -v apt-get >/dev/null; then
        echo "missing: run  sudo apt-get install -y $*" >&2
    else
        echo "missing: install what Debian calls $*" >&2
    fi
    return 1
}

# need_go: what builds Helm, Compose's loader and the clients in Go.
need_go() { command -v go >/dev/null || need_packages golang; }

# need_build_tools: a Rust toolchain, a C compiler, make, pkg-config and OpenSSL's headers.
need_build_tools() {
    if ! command -v cargo >/dev/null && [ -x "$HOME/.cargo/bin/cargo" ]; then
        PATH=$HOME/.cargo/bin:$PATH
    fi
    local missing=()
    command -v cargo >/dev/null || missing+=(rustup)
    { command -v cc && command -v c++ && command -v make; } >/dev/null || missing+=(build-essential)
    command -v pkg-config >/dev/null || missing+=(pkg-config)
    if ! pkg-config --exists openssl 2>/dev/null; then missing+=(libssl-dev); fi
    if [ ${#missing[@]} -gt 0 ] && ! need_packages "${missing[@]}"; then
        case " ${missing[*]} " in *" rustup "*)
            # Older releases have no such package, and their cargo is too old for this edition.
            echo "Rust: run  curl --proto '=https' -sSf https://sh.rustup.rs | sh -s -- -y" >&2 ;;
        esac
        return 1
    fi
    command -v rustc >/dev/null || { echo "cargo is here but rustc is not: run  rustup default stable" >&2; return 1; }
}
