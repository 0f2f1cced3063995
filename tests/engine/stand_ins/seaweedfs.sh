#!/bin/sh
# As the published image does it: /data is the user seaweed's, and so is the server.
if [ "$(id -u)" = 0 ]; then
  chown -R seaweed:seaweed /data
  exec setpriv --reuid=seaweed --regid=seaweed --clear-groups "$0" "$@"
fi
[ "$1" != server ] || { shift; set -- server -dir=/data -master.volumePreallocate -master.volumeSizeLimitMB=1024 "$@"; }
exec /usr/bin/weed -logtostderr=true "$@"
