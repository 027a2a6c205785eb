#!/usr/bin/env bash
# Compares the seccomp profiles that changed since BASE with what they were there, writes
# the proved differences to the job's summary, and as a comment to the pull request. See
# action.yml for what the environment has.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
marker='<!-- seccompile diff -->'
limit=60000 # a comment has at most 65,536 characters

seccompile=${SECCOMPILE:-}
if [ -z "$seccompile" ]; then
  seccompile=$work/seccompile
  (cd "$here/.." && CGO_ENABLED=0 go build -trimpath -o "$seccompile" ./cmd/seccompile)
fi
read -r -a flags <<<"${FLAGS:-}"

mapfile -t watched < <(printf '%s' "$PROFILES" | sed '/^[[:space:]]*$/d')
if [ ${#watched[@]} -eq 0 ]; then
  echo 'seccompile: the input "profiles" names no file' >&2
  exit 2
fi
if ! git rev-parse --quiet --verify "${BASE:-}^{commit}" >/dev/null; then
  git fetch --quiet --depth=1 origin "${BASE:?BASE names no commit: run this on pull_request or push}"
fi

weaker=false failed=false
: >"$work/report"
# compare PATH: adds the difference between PATH at BASE and PATH now.
compare() {
  local path=$1 old=$work/old/$1 status=0
  local -a sides=(-- "$path") # it is new
  if git cat-file -e "$BASE:$path" 2>/dev/null; then
    mkdir -p "$(dirname "$old")"
    git show "$BASE:$path" >"$old"
    sides=(--fail-weaker -- "$old" "$path")
  fi
  "$seccompile" report -q -f markdown "${flags[@]}" "${sides[@]}" >"$work/one" 2>"$work/error" || status=$?
  if [ $status -eq 1 ] && [ -s "$work/one" ]; then
    weaker=true
  elif [ $status -ne 0 ]; then
    failed=true
    cat "$work/error" >&2
    { # indented, so that nothing in it is markup
      printf '### A profile that cannot be compared\n\n'
      sed 's/^/    /' "$work/error"
    } >"$work/one"
  fi
  { cat "$work/one"; printf '\n'; } >>"$work/report"
}

# Files that are gone have nothing to be compared with: who uses them no longer does.
while IFS= read -r -d '' path; do
  compare "$path"
done < <(git diff -z --name-only --no-renames --diff-filter=d "$BASE" -- "${watched[@]}")

# Expectations hold whatever changed. A profile's name may have spaces.
unexpected=false
while read -r file profile; do
  [ -n "$file" ] || continue
  status=0
  "$seccompile" eval -q --expect "$file" -- "$profile" >"$work/one" 2>"$work/error" || status=$?
  [ $status -ne 0 ] || continue
  if [ $status -eq 1 ]; then unexpected=true; else failed=true; fi
  cat "$work/error" >&2
  { # indented, so that nothing in it is markup
    printf '### Calls that are not as expected\n\n'
    sed 's/^/    /' "$work/one" "$work/error"
    printf '\n'
  } >>"$work/report"
done <<<"${EXPECT:-}"

cat "$work/report"
[ -z "${GITHUB_OUTPUT:-}" ] || echo "weaker=$weaker" >>"$GITHUB_OUTPUT"
[ -z "${GITHUB_STEP_SUMMARY:-}" ] || cat "$work/report" >>"$GITHUB_STEP_SUMMARY"

# comment writes the report to the pull request, over the comment of an earlier run.
comment() {
  local api="$GITHUB_API_URL/repos/$GITHUB_REPOSITORY" page=1 id='' found
  local -a curl=(curl --silent --show-error --fail --retry 3 -H "Authorization: Bearer $GITHUB_TOKEN" -H 'Accept: application/vnd.github+json')
  while [ -z "$id" ]; do
    found=$("${curl[@]}" "$api/issues/$PULL_REQUEST/comments?per_page=100&page=$page")
    id=$(jq -r --arg marker "$marker" 'map(select(.body | startswith($marker)))[0].id // empty' <<<"$found")
    [ "$(jq length <<<"$found")" -eq 100 ] || break
    page=$((page + 1))
  done
  if [ ! -s "$work/report" ]; then
    [ -n "$id" ] || return 0
    echo 'The profiles are again what they were.' >"$work/report"
  fi
  if [ "$(wc -m <"$work/report")" -gt "$limit" ]; then
    printf '%s\n\nThe differences are too many for a comment: the summary of the job has them.\n' "$(head -n 1 "$work/report")" >"$work/short"
    mv "$work/short" "$work/report"
  fi
  jq -n --rawfile body "$work/report" --arg marker "$marker" '{body: ($marker + "\n" + $body)}' >"$work/body"
  if [ -n "$id" ]; then
    "${curl[@]}" -X PATCH --data @"$work/body" "$api/issues/comments/$id" >/dev/null
  else
    "${curl[@]}" -X POST --data @"$work/body" "$api/issues/$PULL_REQUEST/comments" >/dev/null
  fi
}
if [ "${COMMENT:-}" = true ] && [ -n "${PULL_REQUEST:-}" ]; then
  comment
fi

if [ $failed = true ]; then
  echo 'seccompile: a profile could not be compared or asked' >&2
  exit 2
fi
if [ $unexpected = true ]; then
  echo 'seccompile: a profile does not do what is expected of it' >&2
  exit 1
fi
if [ $weaker = true ] && [ "${FAIL_ON_WEAKER:-}" = true ]; then
  echo 'seccompile: a profile allows what it denied before' >&2
  exit 1
fi
