#!/usr/bin/env bash
# Builds what is released into the folder that is named, dist by default: for each
# architecture the static binaries in a tar file and in a Debian package, and the checksums
# of all. The same commit gives the same bytes, wherever it is built.
set -euo pipefail
cd "$(dirname "$0")/.."

out=${1:-dist}
go=${GO:-go}
arches=${ARCHES:-amd64 arm64}
nfpm=github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.0
programs=(cmd/incidentd cmd/incctl cmd/yangc cmd/ncload)

export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export VERSION=${VERSION:-$(git describe --tags --match 'v*' 2>/dev/null | sed 's/^v//; s/-/+/' || true)}
VERSION=${VERSION:-0.1.0+g$(git rev-parse --short=10 HEAD)}
export CGO_ENABLED=0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$out"
mkdir -p "$out"

build() { # architecture, folder
  mkdir -p "$2"
  for p in "${programs[@]}"; do
    GOOS=linux GOARCH=$1 $go build -trimpath -buildvcs=false \
      -ldflags "-s -w -buildid= -X incidentd/cmd/internal/version.release=$VERSION" -o "$2/" "./$p"
  done
}

# What the programs say of themselves is asked of those of this machine.
host=$work/host
unset GOOS GOARCH
build "$($go env GOHOSTARCH)" "$host"
share=$work/share
mkdir -p "$share"/man/man1 "$share"/man/man8 "$share"/bash-completion/completions "$share"/zsh/vendor-completions \
  "$share"/fish/vendor_completions.d "$share"/doc/incidentd
"$host/incidentd" manual >"$share/man/man8/incidentd.8"
for p in incctl yangc ncload; do "$host/$p" manual >"$share/man/man1/$p.1"; done
gzip -9n "$share"/man/man*/*
for p in incidentd incctl; do
  "$host/$p" completion bash >"$share/bash-completion/completions/$p"
  "$host/$p" completion zsh >"$share/zsh/vendor-completions/_$p"
  "$host/$p" completion fish >"$share/fish/vendor_completions.d/$p.fish"
done
cp README.md CHANGELOG.md "$share/doc/incidentd/"
cp LICENSE "$share/doc/incidentd/copyright"
gzip -9n "$share/doc/incidentd/CHANGELOG.md"

for arch in $arches; do
  name=incidentd-$VERSION-linux-$arch
  root=$work/$name
  build "$arch" "$root/bin"
  cp -r "$share" "$root/share"
  mkdir -p "$root/systemd"
  cp packaging/incidentd.service "$root/systemd/"
  chmod -R u=rwX,go=rX "$root"
  tar -C "$work" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -cf - "$name" | gzip -9n >"$out/$name.tar.gz"
  ROOT=$root ARCH=$arch $go run "$nfpm" package --config packaging/nfpm.yaml --packager deb --target "$out/" 
done
(cd "$out" && sha256sum -- * >SHA256SUMS)
echo "in $out:"
(cd "$out" && ls -l)
