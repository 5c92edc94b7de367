#!/bin/sh
# Starts the server once as the user that will run it, for Node.js keeps compiled code by user, and gives what was kept
# to root: the server reads it at each start and cannot change it. As root: deploy/keep-compiled.sh USER
set -eu
cd "$(dirname "$0")/.."
kept=$PWD/node_modules/.cache/node
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
rm -rf "$kept"
install -d "${kept%/*}"
install -d -o "$1" "$kept"
chown "$1" "$data"
PATH=$PWD/node_modules/.bin:$PATH
# A free one: where this is an update, a server may be running.
port=$(node -e 'const server = net.createServer().listen(0, "127.0.0.1", () => { console.log(server.address().port); server.close(); })')
# It ends at SIGTERM, with 0: well after its start.
setpriv --reuid="$1" --clear-groups env -i PATH="$PATH" NODE_COMPILE_CACHE="$kept" \
  HOST=127.0.0.1 PORT="$port" DATABASE_URL="sqlite:$data/tollgate.db" \
  timeout --preserve-status 15 node src/main.ts serve
chown -R root "$kept"
chmod -R a+rX "$kept"
