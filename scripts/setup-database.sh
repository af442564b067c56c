#!/bin/sh
# Makes sure that a spec's database can be had: sh scripts/setup-database.sh [SPEC] [--set KEY=VALUE …]
# Installs Debian's server package (which starts no system service) only where no server is installed:
# it would push out an older one.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
ready() { .venv/bin/python -m scripts.database_ready "$@"; }
installed() {
    PATH=$PATH:/usr/sbin:/usr/local/sbin:/usr/libexec
    command -v mysqld >/dev/null 2>&1 || command -v mariadbd >/dev/null 2>&1
}

ready "$@" && exit 0
if ! installed && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "Installing mariadb-server-core (no system service is started) …"
    log=$(mktemp)
    if { apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends mariadb-server-core; } >"$log" 2>&1; then
        rm -f "$log"
        ready "$@" && exit 0
    else
        tail -n 5 "$log" >&2
        rm -f "$log"
    fi
fi
say "No database can be had. Three ways out:
  - set BENCH_DATABASE_URL=mysql://user:password@host:3306/name to use a server of yours;
  - start Docker (with the Compose plugin);
  - install a server: apt-get install mariadb-server-core (or MySQL 8.4 or newer)."
exit 3
