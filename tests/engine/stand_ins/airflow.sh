#!/bin/sh
# As the published image does it: bash and python are themselves, all else is a command of airflow's.
case "$1" in
  bash | python) exec "$@" ;;
  airflow) shift ;;
esac
exec airflow "$@"
