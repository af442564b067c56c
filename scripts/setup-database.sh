#!/bin/sh
# Makes sure that a database can be had: one given by URL, Docker with Compose, or a server binary.
# Installs Debian's server package (which starts no system service) only where nothing else is found.
set -eu

say() { printf '%s\n' "$*" >&2; }

[ -n "${BENCH_DATABASE_URL:-}" ] && exit 0
PATH=$PATH:/usr/sbin:/usr/local/sbin:/usr/libexec
for server in mysqld mariadbd; do
    command -v "$server" >/dev/null 2>&1 && exit 0
done
if command -v docker >/dev/null 2>&1 && docker info >/dev/null 2>&1 &&
    docker compose version >/dev/null 2>&1; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "No database found: installing mariadb-server-core (no system service is started) …"
    log=$(mktemp)
    if { apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends mariadb-server-core; } >"$log" 2>&1; then
        rm -f "$log"
        exit 0
    fi
    tail -n 5 "$log" >&2
    rm -f "$log"
fi
say "No database found. Three ways out:
  - set BENCH_DATABASE_URL=mysql://user:password@host:3306/name to use a server of yours;
  - start Docker (with the Compose plugin);
  - install a server: apt-get install mariadb-server-core (or MySQL 8.4 or newer)."
exit 3
