#!/usr/bin/env bash
# Checks what dist.sh builds: a second build, from a clone elsewhere and without anything
# compiled before, has the same bytes; the package's programs run, and its manual pages,
# scripts and unit can be read. Nothing is installed.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
export ARCHES=${ARCHES:-amd64 arm64}

packaging/dist.sh "$work/one"
git clone -q . "$work/clone"
if [ -n "${COLD:-}" ]; then export GOCACHE=$work/cache; fi
(cd "$work/clone" && packaging/dist.sh "$work/two" >/dev/null)
if ! cmp "$work/one/SHA256SUMS" "$work/two/SHA256SUMS"; then
  diff "$work/one/SHA256SUMS" "$work/two/SHA256SUMS" || true
  echo "dist: two builds differ" >&2
  exit 1
fi
echo "dist: two builds are the same, byte for byte"
(cd "$work/one" && sha256sum --quiet -c SHA256SUMS)

if ! command -v dpkg-deb >/dev/null; then
  echo "notice: no dpkg-deb here; the package is not looked into"
  exit 0
fi
arch=$(dpkg --print-architecture)
dpkg-deb -x "$work"/one/incidentd_*_"$arch".deb "$work/root"
bin=$work/root/usr/bin
for p in incidentd incctl yangc ncload; do
  file=$(find "$work/root/usr/share/man" -name "$p.*.gz")
  if command -v man >/dev/null && man -l "$file" >"$work/page" 2>/dev/null && [ -s "$work/page" ]; then
    grep -q "^NAME" "$work/page" || { echo "dist: $file cannot be read" >&2; exit 1; }
  fi
done
if command -v systemd-analyze >/dev/null; then
  mkdir -p "$work/units/usr/bin" && cp "$bin/incidentd" "$work/units/usr/bin/"
  install -D -m 644 "$work/root/usr/lib/systemd/system/incidentd.service" "$work/units/usr/lib/systemd/system/incidentd.service"
  systemd-analyze security --offline=true --threshold=25 "$work/units/usr/lib/systemd/system/incidentd.service" 2>/dev/null | tail -1 ||
    { echo "dist: the unit is exposed by more than 2.5 of 10" >&2; exit 1; }
fi
echo "a secret of the check" | "$bin/incidentd" init --data "$work/data" --password-stdin >/dev/null
"$bin/incidentd" serve --data "$work/data" --listen 127.0.0.1:0 --log-json 2>"$work/log" &
server=$!
for _ in $(seq 100); do
  grep -q '"msg":"listening"' "$work/log" && break
  sleep .1
done
addr=$(sed -nE 's/.*"msg":"listening","addr":"([^"]*)".*/\1/p' "$work/log")
[ -n "$addr" ] || { cat "$work/log" >&2; echo "dist: the server does not begin" >&2; exit 1; }
INCCTL_PASSWORD="a secret of the check" "$bin/incctl" --server "$addr" --known-hosts "$work/hosts" list
kill "$server"
wait "$server"
server=
echo "dist: the package's server runs, answers and ends"
