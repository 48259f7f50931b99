#!/bin/bash
# Starts the bot in the container of a panel (Pterodactyl, Pelican); the egg calls it. It installs
# the packages first if requirements.txt has changed, or if the server has an image with another
# Python. The egg's install script can't do that: it runs in another image.
set -eu
cd "$(dirname "$0")/.."

abi=$(python3 -c 'import sysconfig; print(sysconfig.get_config_var("SOABI"))')
wanted="$abi $(sha256sum requirements.txt)"
if [ "$(cat .venv/installed 2>/dev/null)" != "$wanted" ]; then
    echo "Installing the packages of requirements.txt ..."
    python3 -m venv --clear .venv
    # no source packages: pip would build them with tools whose hashes nobody checks
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-cache-dir \
        --require-hashes --only-binary=:all: -r requirements.txt
    echo "$wanted" >.venv/installed # last, so that an interrupted installation is done again
fi
exec .venv/bin/python -m bot # exec: the panel's signal to stop must reach Python
