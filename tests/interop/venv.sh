# Sourced from the top of the repository: makes $venv, a Python with the package `websockets`.
venv=target/interop/venv

# Made once, and again when the pinned version changes.
if ! cmp --silent tests/interop/requirements.txt "$venv/installed"; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement tests/interop/requirements.txt
  cp tests/interop/requirements.txt "$venv/installed"
fi
