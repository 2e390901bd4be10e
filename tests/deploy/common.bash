# Functions of the scripts in this folder. Sourced, with the name of the script in $0.
# shellcheck shell=bash

current="start"
work=$(mktemp -d)
# shellcheck disable=SC2034 # those who source this use it
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ack-upgrade-exporter

# Runs last, also after a failure. A script defines `clear_away STATUS` to remove its own files.
finish() {
  local status=$?
  if declare -F clear_away >/dev/null; then clear_away "$status"; fi
  rm -rf "$work"
  [ "$status" -eq 0 ] || echo "$0: FAILED in step: $current" >&2
}
trap finish EXIT

step() {
  current=$1
  shift
  local began=$SECONDS
  echo "== $current"
  "$@"
  echo "== $current: ok, $((SECONDS - began)) s"
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

debian_packages() { # debian_packages PROGRAM=PACKAGE…: the packages whose programs are not there
  local missing=() wanted
  for wanted in "$@"; do
    command -v "${wanted%=*}" >/dev/null || missing+=("${wanted#*=}")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  as_root apt-get -o Acquire::Retries=3 update -qq
  # No service is started.
  as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -o Acquire::Retries=3 install -y -qq --no-install-recommends "${missing[@]}"
}

# A port that was free a moment ago.
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

ready() { # ready PORT: waits until the exporter there is
  local _
  for _ in $(seq 100); do
    if curl --silent --fail --output /dev/null "http://127.0.0.1:$1/-/ready"; then return; fi
    sleep 0.1
  done
  echo "not ready within 10 s" >&2
  return 1
}
