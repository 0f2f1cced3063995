#!/bin/sh
# What tests/engine needs on Debian, as root. Nothing is started.
set -e
apt-get update --quiet=2
# From Debian 13 on, the client is a package of its own.
client=$(apt-cache pkgnames docker-cli | grep -x docker-cli || true)
# shellcheck disable=SC2086  # it may be nothing
apt-get install --quiet=2 --yes --no-install-recommends docker.io $client docker-compose iptables mmdebstrap slirp4netns \
  ca-certificates debian-archive-keyring iproute2 procps util-linux
