# shellcheck shell=bash
# shellcheck disable=SC2034,SC2054 # The variables are for the scripts that source this; cargo's list has commas.
# What the scripts share: saying what happens, and installing only what is missing.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

# One selection of packages and features everywhere: each other one would compile the dependencies once more.
selection=(--workspace --features desktop,custom-protocol --locked)
target=${CARGO_TARGET_DIR:-target}

say() {
  if [ -t 1 ]; then printf '\033[1;36m==>\033[0m \033[1m%s\033[0m\n' "$*"; else printf '==> %s\n' "$*"; fi
}

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

# need_tools : Rust and Node are the two things these scripts do not install.
need_tools() {
  command -v cargo >/dev/null || fail "Rust is missing. Install it from https://rustup.rs and run this again."
  { command -v node && command -v npm; } >/dev/null ||
    fail "Node.js is missing. Install version 20.19 or newer, with npm, from https://nodejs.org and run this again."
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    fail "Node.js $(node --version) is too old: 20.19 or newer is needed."
}

# need_packages NAME... : Debian packages, installed when missing.
need_packages() {
  local missing=() name
  command -v dpkg-query >/dev/null || {
    say "This is no Debian or Ubuntu: please see that you have the equivalents of: $*"
    return 0
  }
  for name in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
      fail "These system packages are missing, and there is neither root nor sudo to install them:" \
        "  apt-get install --no-install-recommends ${missing[*]}"
    root=(sudo)
  fi
  say "Installing system packages: ${missing[*]}"
  "${root[@]}" apt-get update -qq
  # What goes wrong is said on the error output; the list of what was unpacked helps nobody.
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends "${missing[@]}" >/dev/null
}

# need_ui_packages : the console's packages, exactly as the lock file has them.
need_ui_packages() {
  local stamp=ui/node_modules/.installed
  cmp -s ui/package-lock.json "$stamp" && return 0
  say "Installing the console's packages"
  npm --prefix ui ci --no-audit --no-fund --loglevel=error
  cp ui/package-lock.json "$stamp"
}

# need_python_tools : a Python of its own under the target folder, with the tools that some tests are written in; sets `python`.
need_python_tools() {
  local venv=$target/python wanted=tests/contract/requirements.txt
  python=$venv/bin/python
  cmp -s "$wanted" "$venv/.installed" && return 0
  python3 -c 'import ensurepip, venv' 2>/dev/null || need_packages python3 python3-venv
  say "Installing the tools of the Python tests"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$python" -m pip install --quiet --disable-pip-version-check --requirement "$wanted"
  cp "$wanted" "$venv/.installed"
}

# build_ui : the console, when anything it is made from is newer than the last build.
build_ui() {
  local built=ui/dist/index.html
  if [ -f "$built" ] &&
    [ -z "$(find ui \( -path ui/node_modules -o -path ui/dist -o -path ui/tests \) -prune -o -newer "$built" -print -quit)" ] &&
    [ ! ui/node_modules/.installed -nt "$built" ]; then
    return 0
  fi
  say "Building the console"
  npm --prefix ui run --silent build
}

build_packages=(build-essential pkg-config libwebkit2gtk-4.1-dev)
