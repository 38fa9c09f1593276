# What both scripts begin with: `cases` to run, `wstest` in its virtual environment, and an end for all that is started.
#
#   tests/autobahn/ROLE [PROGRAM] [--all | CASE...]     cases as the suite names them: 7.1.6 or '12.1.*'
#
# The program is one on the engine alone, or with `tokio` or `blocking` one on that companion crate.
#
# The suite is Python 2 in every release. Where there is no python2.7, the scripts skip, or fail if AUTOBAHN_REQUIRED=1.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

role=$(basename "$0")
dir=$PWD/target/autobahn
report=$dir/$role
program=engine
case ${1:-} in
engine) shift ;;
tokio | blocking)
  program=$1
  report+=-$1
  shift
  ;;
esac
cases=("$@")
limit=40m
if ((!$#)); then
  cases=('1.*' '2.*' '3.*' '4.*' '5.*' '6.*' '7.*' '9.*' '10.*')
  # Of every kind of data and every offer: messages of 16 bytes, of 4 KiB, and of 8 KiB in fragments of 256 bytes.
  cases+=({12.{1..5},13.{1..7}}.{1,5,11})
  limit=5m
elif [[ $1 == --all ]]; then
  cases=('*')
fi

trap 'kill $(jobs -p) 2>/dev/null && wait || true' EXIT
trap 'exit 1' INT TERM

# bounded COMMAND...: runs it until it ends, the script ends, or the time is up.
bounded() {
  timeout "$limit" "$@" &
  wait $!
}

# spec KEYS: a file for `wstest` of the role's own keys and the common ones.
spec() {
  local list
  list=$(printf ', "%s"' "${cases[@]}")
  echo "{$1, \"outdir\": \"$report\", \"cases\": [${list:2}], \"exclude-cases\": [], \"exclude-agent-cases\": {}}" >"$report.json"
}

install() {
  local python
  for python in python2.7 ~/.pyenv/versions/2.7.*/bin/python2.7; do
    "$python" -c '' 2>/dev/null && break
  done || {
    echo "autobahn $program $role: not run, python2.7 is missing"
    exit "${AUTOBAHN_REQUIRED:-0}"
  }
  rm -rf "$dir/bootstrap" "$dir/venv"
  python3 -m venv "$dir/bootstrap"
  "$dir/bootstrap/bin/pip" install -qq 'virtualenv<20.22'
  "$dir/bootstrap/bin/virtualenv" -q -p "$python" "$dir/venv"
  "$dir/venv/bin/pip" install -qq -r tests/autobahn/requirements.txt
  "$dir/venv/bin/pip" install -qq --no-deps autobahntestsuite==25.10.1
  touch "$dir/installed"
}

rm -rf "$report"
mkdir -p "$dir"
[[ $dir/installed -nt tests/autobahn/requirements.txt ]] || install
