#!/bin/sh
# What tests/engine needs on Debian, as root. Nothing is started.
set -e
apt-get update --quiet=2
apt-get install --quiet=2 --yes --no-install-recommends docker.io docker-compose iptables mmdebstrap slirp4netns
